"""`python -m turnpike_crash.peers --program PROGRAM --engine LLAMA_SERVER --model GGUF`: servers that others wrote.

A gateway in front of each of them, through the built program, and one table: llama-server as somebody else runs it,
dasllama, another implementation of the protocol that serves the same model, and a server of HTTP/2 over TLS.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from .h2_upstream import FLOOD_PIECES, H2Upstream
from .node import Node
from .postgres import Postgres
from .processes import die_with_parent, free_ports, must_run, run

_QUESTION = "What is the capital of France?"
_ANSWER = "The capital of France is Paris."
_STREAMS = 40

BACKENDS = """\
backends:
  llama-server: {{ kind: openai, server: llama_server, base_url: "http://127.0.0.1:{llama}/v1", allow_addresses: [127.0.0.1] }}
  dasllama: {{ kind: openai, base_url: "http://127.0.0.1:{das}/v1", allow_addresses: [127.0.0.1] }}
  h2: {{ kind: openai, base_url: "https://localhost:{h2}/v1", allow_private_addresses: true, ca_file: "{ca}" }}
  h1: {{ kind: openai, base_url: "https://localhost:{h2}/v1", allow_private_addresses: true, ca_file: "{ca}", http2: false }}
  stranger: {{ kind: openai, base_url: "https://localhost:{h2}/v1", allow_private_addresses: true }}
models:
  llama-server: {{ backends: [llama-server], context_tokens: 1024, max_completion_tokens: 512 }}
  dasllama: {{ backends: [dasllama], upstream_model: demo.gguf, context_tokens: 1024, max_completion_tokens: 512 }}
  h2: {{ backends: [h2], context_tokens: 2097152, max_completion_tokens: 1048576 }}
  h1: {{ backends: [h1], context_tokens: 4096, max_completion_tokens: 512 }}
  stranger: {{ backends: [stranger], context_tokens: 4096, max_completion_tokens: 512 }}
"""


@dataclass
class Row:
    """What came of one peer."""

    peer: str
    #: What was seen, by column.
    cells: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, column: str, seen, wanted) -> None:
        """Notes what was seen, and that it is not what it should be."""
        self.cells[column] = str(seen)
        if seen != wanted:
            self.wrong.append(f"{self.peer}: {column} is {seen!r} instead of {wanted!r}")


class Gateway:
    """The built program with one key."""

    def __init__(self, program: str, folder: str):
        self.program, self.folder = program, folder
        self.postgres = Postgres(f"{folder}/pg", free_ports(1)[0])
        self.key = ""
        self.node: Node | None = None

    async def start(self, backends: str) -> None:
        await self.postgres.create()
        with self.postgres.connect("postgres") as connection:
            connection.execute("CREATE DATABASE turnpike")
        with open(os.open(f"{self.folder}/pepper", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        values = {"database": self.postgres.url("turnpike"), "pepper": f"{self.folder}/pepper", "engine_port": "1"}
        self.node = Node("peers", f"{self.folder}/node", self.program, *free_ports(2), values)
        with open(self.node.configuration) as file:
            text = file.read()
        with open(self.node.configuration, "w") as file:
            file.write(text[:text.index("backends:")] + backends)
        await must_run(self.program, "migrate", "--config", self.node.configuration)
        await self._administer("team", "create", "peers")
        self.key = (await self._administer("key", "create", "--team", "peers", "--name", "peers"))["key"]
        self.node.start()
        await self.node.wait_ready()

    async def _administer(self, *words: str) -> dict:
        return json.loads(await must_run(
            self.program, "admin", *words, "--config", self.node.configuration, "--format", "json"))

    async def ask(self, model: str, text: str, stream: bool, until: int | None = None, most: int = 64):
        """One request: status, text, usage. With `until`, leaves after so many pieces."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": most, "temperature": 0,
                "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}
        data = json.dumps(body).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.node.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: peers\r\nconnection: close\r\n"
                     b"content-type: application/json\r\ncontent-length: %d\r\nauthorization: Bearer %s\r\n\r\n%s"
                     % (len(data), self.key.encode(), data))
        try:
            async with asyncio.timeout(60):
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ")[1])
                if not stream or status != 200:
                    answer = json.loads(await reader.read())
                    choices = answer.get("choices") or [{"message": {"content": answer["error"]["code"]}}]
                    return status, choices[0]["message"]["content"], answer.get("usage")
                return status, *await self._read_stream(reader, until)
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def lagging(self, model: str, text: str):
        """A client that asks for a long stream and does not read it."""
        data = json.dumps({"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 1_000_000,
                           "stream": True}).encode()
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.node.port))
        reader, writer = await asyncio.open_connection(sock=client, limit=4096)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: peers\r\nconnection: close\r\n"
                     b"content-type: application/json\r\ncontent-length: %d\r\nauthorization: Bearer %s\r\n\r\n%s"
                     % (len(data), self.key.encode(), data))
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()
        try:
            yield
        finally:
            writer.transport.abort()

    @staticmethod
    async def _read_stream(reader: asyncio.StreamReader, until: int | None):
        text, usage, pieces = "", None, 0
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                event = json.loads(line[6:])
                if "error" in event:
                    return text + "!error", None
                usage = event.get("usage") or usage
                for choice in event.get("choices", []):
                    piece = choice["delta"].get("content") or ""
                    text, pieces = text + piece, pieces + bool(piece)
            if until is not None and pieces >= until:
                break
        return text, usage

    async def last_usage(self) -> dict:
        """The ledger's record of the last request, once nothing is open."""
        with self.postgres.connect("turnpike") as connection:
            for _ in range(200):
                if connection.execute("SELECT count(*) FROM reservation").fetchone()[0] == 0:
                    break
                await asyncio.sleep(0.05)
            row = connection.execute(
                "SELECT basis, end_state, prompt_tokens, completion_tokens FROM usage ORDER BY request_id DESC LIMIT 1"
            ).fetchone()
        return dict(zip(("basis", "end_state", "prompt", "completion"), row))

    async def end(self) -> str:
        """Stops it; what is wrong with the books, or nothing."""
        status = await self.node.terminate()
        if status != 0:
            return f"the gateway stopped with {status}: {self.node.complaint}"
        status, output, complaint = await run(
            self.program, "admin", "audit", "--complete", "--config", self.node.configuration)
        return "" if status == 0 else f"the audit ended with {status}: {output}{complaint}"


async def serve_model(name: str, command: list[str], port: int, folder: str) -> subprocess.Popen:
    """Starts a peer of its own process and waits until it knows its model."""
    with open(f"{folder}/{name}.log", "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            env={**os.environ, "HOME": folder})

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    for _ in range(300):
        if process.poll() is not None:
            break
        if await asyncio.to_thread(is_ready):
            return process
        await asyncio.sleep(0.1)
    with open(f"{folder}/{name}.log", errors="replace") as log:
        raise RuntimeError(f"{name} did not start: {log.read()[-1500:]}")


async def try_model(gateway: Gateway, name: str, too_long: str) -> Row:
    """A peer with the demo model: the same answer plain and streamed, counted by it; and one that is left.

    It may have said everything before its client is gone. `too_long` is what becomes of a prompt beyond its
    context: not every server says so in words that are known.
    """
    row = Row(name)
    for column, stream in (("plain", False), ("streamed", True)):
        status, text, usage = await gateway.ask(name, _QUESTION, stream)
        row.expect(column, text if status == 200 else f"{status} {text}", _ANSWER)
        record = await gateway.last_usage()
        row.expect(f"{column} counted by it", record["basis"] == 1 and record["completion"] == usage["completion_tokens"], True)
        row.expect(f"{column} prompt", record["prompt"], 18)
    await gateway.ask(name, "Tell me a long story.", True, until=1, most=400)
    record = await gateway.last_usage()
    row.expect("left", record["end_state"] in (1, 3), True)
    row.expect("left within its bound", 1 <= record["completion"] < 400, True)
    status, code, _ = await gateway.ask(name, "word " * 3000, False)
    row.expect("beyond its context", f"{status} {code}", too_long)
    return row


async def try_h2(gateway: Gateway, upstream: H2Upstream) -> Row:
    """Many streams at once over shared connections; some are left, and no other ends for that."""
    row = Row("HTTP/2")
    left = {f"h2-{index}-leaves" for index in range(0, _STREAMS, 8)}
    names = [f"h2-{index}" + ("-leaves" if f"h2-{index}-leaves" in left else "") for index in range(_STREAMS)]
    answers = await asyncio.gather(*(
        gateway.ask("h2", name, True, until=2 if name in left else None) for name in names))
    whole = [name for name, (_, text, _) in zip(names, answers) if text == upstream.text(name)]
    row.expect("streamed", len(whole), len(set(names) - left))
    await upstream.wait_gone(left)
    row.expect("left", len(upstream.gone & left), len(left))
    row.expect("left, but not by clients", len(upstream.gone - left), 0)
    row.expect("version", sorted(upstream.versions), ["2"])
    row.expect("connections", upstream.connections, 1)
    async with gateway.lagging("h2", "flood"):
        # Held back when nothing between the upstream and the client has room left.
        before = -1
        while before != upstream.flooded:
            before = upstream.flooded
            await asyncio.sleep(0.5)
        row.expect("held back", 0 < before < FLOOD_PIECES - 1, True)
        _, text, _ = await asyncio.wait_for(gateway.ask("h2", "beside", True), 10)
        row.expect("beside one that is held back", text, upstream.text("beside"))
        row.expect("connections with it", upstream.connections, 1)
    return row


async def try_h1(gateway: Gateway, upstream: H2Upstream) -> Row:
    """The same server with `http2: false`, and by a gateway that does not know its authority."""
    row = Row("HTTP/1.1")
    upstream.forget()
    status, text, _ = await gateway.ask("h1", "h1", False)
    row.expect("plain", text if status == 200 else status, upstream.text("h1"))
    row.expect("version", sorted(upstream.versions), ["1.1"])
    upstream.forget()
    status, code, _ = await gateway.ask("stranger", "stranger", False)
    row.expect("unknown authority", f"{status} {code}", "502 upstream_unavailable")
    row.expect("requests by it", len(upstream.versions), 0)
    return row


async def play(arguments: argparse.Namespace, folder: str) -> tuple[list[Row], str]:
    llama, das = free_ports(2)
    gateway, upstream = Gateway(arguments.program, folder), H2Upstream(folder)
    processes: list[subprocess.Popen] = []
    rows: list[Row] = []
    # A server may write beside the model that it loads.
    model = shutil.copy(arguments.model, folder)
    try:
        await upstream.start()
        processes.append(await serve_model(
            "llama-server", [arguments.engine, "--model", model, "--host", "127.0.0.1", "--port", str(llama),
                             "--ctx-size", "2048", "--parallel", "2", "--threads", "1"], llama, folder))
        if arguments.dasllama:
            processes.append(await serve_model(
                "dasllama", [arguments.dasllama, "--model", model, "--port", str(das), "--threads", "1",
                             "--ctx", "1024"], das, folder))
        backends = BACKENDS.format(llama=llama, das=das, h2=upstream.port, ca=upstream.authority)
        await gateway.start(backends)
        rows.append(await try_model(gateway, "llama-server", "400 context_length_exceeded"))
        if arguments.dasllama:
            rows.append(await try_model(gateway, "dasllama", "400 None"))
        rows.append(await try_h2(gateway, upstream))
        rows.append(await try_h1(gateway, upstream))
        return rows, await gateway.end()
    finally:
        for process in processes:
            process.kill()
        if gateway.node:
            await gateway.node.end()
        await upstream.stop()
        await gateway.postgres.stop()


def tell(rows: list[Row]) -> None:
    width = max(len(column) for row in rows for column in row.cells)
    for row in rows:
        print(row.peer)
        for column, cell in row.cells.items():
            print(f"  {column.ljust(width)}  {cell}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/peers", description=__doc__.split("\n")[2])
    parser.add_argument("--program", required=True)
    parser.add_argument("--engine", required=True, help="a llama-server")
    parser.add_argument("--dasllama", help="dasllama-server, where there is one for this machine")
    parser.add_argument("--model", required=True, help="the demo model")
    arguments = parser.parse_args()
    arguments.program, arguments.model = os.path.abspath(arguments.program), os.path.abspath(arguments.model)
    folder = tempfile.mkdtemp(prefix="turnpike-peers.", dir="/tmp")
    os.chmod(folder, 0o711)
    try:
        rows, complaint = asyncio.run(play(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell(rows)
    wrong = [text for row in rows for text in row.wrong] + ([complaint] if complaint else [])
    for text in wrong:
        print(f"peers: {text}")
    print("peers: " + ("FAILED" if wrong else f"{len(rows)} peers, all as they should be"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
