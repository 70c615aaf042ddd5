"""`python -m turnpike_crash.soak --program PROGRAM`: many streams at the same time, again and again, and one table.

Every request carries a nonce, and every piece of its answer is made of that nonce and the piece's number: a piece of
somebody else's, one twice, one lost or one out of order does not match. One in twenty clients leaves in the middle;
the upstream must see each of those go, and none else. After each round the gateway's memory and descriptors are read.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field

from .node import Node
from .postgres import Postgres
from .processes import free_ports, must_run, run

#: Pieces of an answer, from and to.
_PIECES = (8, 24)
_ROUNDS_BEFORE = 3
#: What memory may grow beyond what it was once warm, and how many descriptors may come and go: logs, a connection of the
#: ledger, pooled connections in the middle of being closed.
_GROWTH = 1.10
_SLACK_MIB = 16
_SLACK_DESCRIPTORS = 16


#: How the nonce of a client ends that leaves in the middle.
_LEAVES = "-leaves"


def piece(nonce: str, number: int) -> str:
    return f"{nonce}:{number} "


def length(nonce: str) -> int:
    return random.Random(nonce).randint(*_PIECES)


class Upstream:
    """Speaks the chat-completions protocol; what it says is made of the nonce that it is asked with."""

    def __init__(self, pause: float):
        self.pause = pause
        self.gone: set[str] = set()
        self.connections = 0
        self._awaited = 0
        self._all_here = asyncio.Event()

    def await_streams(self, count: int) -> None:
        """Has the next `count` answers begin together: each round asks for the same memory at its height."""
        self._awaited = count
        self._all_here = asyncio.Event()

    async def _come_together(self) -> None:
        self._awaited -= 1
        if self._awaited <= 0:
            self._all_here.set()
        await asyncio.wait_for(self._all_here.wait(), 60)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        nonce = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                nonce = json.loads(await reader.readexactly(size))["messages"][-1]["content"]
                await self.answer(nonce, reader, writer)
                nonce = None
        except (asyncio.IncompleteReadError, ConnectionError):
            if nonce:
                self.gone.add(nonce)
        finally:
            self.connections -= 1
            writer.close()

    async def answer(self, nonce: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._come_together()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        count = length(nonce)
        for number in range(count):
            if nonce.endswith(_LEAVES) and number == count // 2:
                # Whoever is to leave has no other way out.
                await reader.readexactly(1)
            self.event(writer, {"choices": [{"index": 0, "delta": {"content": piece(nonce, number)}}]})
            await writer.drain()
            await asyncio.sleep(self.pause)
        self.event(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count}
        self.event(writer, {"choices": [], "usage": usage})
        self.chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def event(self, writer: asyncio.StreamWriter, body: dict) -> None:
        self.chunk(writer, b"data: " + json.dumps(body).encode() + b"\n\n")

    @staticmethod
    def chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))


@dataclass
class Round:
    """What came of one round."""

    number: int
    whole: int = 0
    left: int = 0
    seconds: float = 0
    memory: float = 0
    descriptors: int = 0
    #: Answers that hold something else than their own pieces in order.
    mixed: list[str] = field(default_factory=list)
    #: Answers that should have been whole and are not, and cancels that the upstream did not see or saw without one.
    failed: list[str] = field(default_factory=list)


class Client:
    """One stream of one client."""

    def __init__(self, nonce: str, port: int, key: str):
        self.nonce, self.port, self.key = nonce, port, key

    async def ask(self, told: Round) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            body = json.dumps({"model": "soak", "stream": True, "stream_options": {"include_usage": True},
                               "messages": [{"role": "user", "content": self.nonce}]}).encode()
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n"
                b"content-type: application/json\r\ncontent-length: %d\r\nauthorization: Bearer %s\r\n\r\n%s"
                % (len(body), self.key.encode(), body))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                told.failed.append(f"{self.nonce}: {head.split(bytes([13]))[0].decode()}")
                return
            await self.read(reader, told)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.TimeoutError) as error:
            told.failed.append(f"{self.nonce}: {error!r}")
        finally:
            writer.close()

    async def read(self, reader: asyncio.StreamReader, told: Round) -> None:
        until = length(self.nonce) // 2 if self.nonce.endswith(_LEAVES) else None
        number, usage, done = 0, None, False
        async with asyncio.timeout(120):
            while line := await reader.readline():
                if not line.startswith(b"data: "):
                    continue
                if line.startswith(b"data: [DONE]"):
                    done = True
                    continue
                event = json.loads(line[6:])
                usage = event.get("usage") or usage
                for choice in event.get("choices", []):
                    text = choice["delta"].get("content") or ""
                    while text:
                        wanted = piece(self.nonce, number)
                        if not text.startswith(wanted):
                            told.mixed.append(f"{self.nonce}: {text!r} instead of {wanted!r}")
                            return
                        text, number = text[len(wanted):], number + 1
                if until is not None and number >= until:
                    told.left += 1
                    return
        count = length(self.nonce)
        if not done or number != count or not usage or usage["completion_tokens"] != count:
            told.failed.append(f"{self.nonce}: {number} of {count} pieces, usage {usage}, end {done}")
        else:
            told.whole += 1


class Soak:
    """One gateway, one upstream, one key."""

    def __init__(self, arguments: argparse.Namespace, folder: str):
        self.arguments = arguments
        self.folder = folder
        self.random = random.Random(arguments.seed)
        self.upstream = Upstream(arguments.pause)
        self.postgres = Postgres(f"{folder}/pg", free_ports(1)[0])
        self.key = ""
        self.node: Node

    async def start(self) -> None:
        server = await asyncio.start_server(self.upstream.serve, "127.0.0.1", 0, backlog=4096)
        await self.postgres.create()
        with self.postgres.connect("postgres") as connection:
            connection.execute("CREATE DATABASE turnpike")
        with open(os.open(f"{self.folder}/pepper", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        ports = free_ports(2)
        self.node = Node("soak", f"{self.folder}/node", self.arguments.program, *ports, self.settings(server))
        with open(self.node.configuration) as file:
            text = file.read().replace("  mock:\n", "  soak:\n")
        with open(self.node.configuration, "w") as file:
            file.write(text)
        await must_run(self.arguments.program, "migrate", "--config", self.node.configuration)
        await self.administer("team", "create", "soak")
        self.key = (await self.administer("key", "create", "--team", "soak", "--name", "soak"))["key"]
        await self.administer("quota", "set", "--team", "soak", "--tokens", "1000000M/month")
        self.node.start()
        await self.node.wait_ready()

    def settings(self, server: asyncio.Server) -> dict[str, str]:
        return {"database": self.postgres.url("turnpike"), "pepper": f"{self.folder}/pepper",
                "engine_port": str(server.sockets[0].getsockname()[1]), "heartbeat": "1s", "fence_after": "15s"}

    async def administer(self, *words: str) -> dict:
        return json.loads(await must_run(
            self.arguments.program, "admin", *words, "--config", self.node.configuration, "--format", "json"))

    async def play(self, number: int) -> Round:
        """One round: all streams at the same time, and what is left once they are over."""
        told = Round(number)
        started = time.monotonic()
        self.upstream.await_streams(self.arguments.streams)
        leaving = set(self.random.sample(range(self.arguments.streams), self.arguments.streams // 20))
        names = [f"{self.arguments.seed:x}-{number}-{index}" + (_LEAVES if index in leaving else "")
                 for index in range(self.arguments.streams)]
        await asyncio.gather(*(Client(name, self.node.port, self.key).ask(told) for name in names))
        told.seconds = time.monotonic() - started
        await self.come_to_rest()
        left = {name for name in names if name.endswith(_LEAVES)}
        told.failed += [f"{name}: its upstream was not left" for name in left - self.upstream.gone]
        told.failed += [f"{name}: its upstream was left" for name in self.upstream.gone - left]
        self.upstream.gone.clear()
        told.memory, told.descriptors = self.measure()
        return told

    async def come_to_rest(self) -> None:
        """Waits until no request is open in the ledger: everything of the round has been settled."""
        deadline = time.monotonic() + 30
        with self.postgres.connect("turnpike") as connection:
            while connection.execute("SELECT count(*) FROM reservation").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise RuntimeError("requests stay open")
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)

    def measure(self) -> tuple[float, int]:
        """The gateway's resident memory in MiB and its open descriptors, but for pooled connections to the upstream."""
        with open(f"/proc/{self.node.process.pid}/statm") as file:
            pages = int(file.read().split()[1])
        descriptors = len(os.listdir(f"/proc/{self.node.process.pid}/fd")) - self.upstream.connections
        return pages * resource.getpagesize() / 2**20, descriptors

    async def end(self) -> str:
        """Stops the gateway, and says what the books are."""
        status = await self.node.terminate()
        if status != 0:
            return f"the gateway stopped with {status}: {self.node.complaint}"
        status, output, complaint = await run(
            self.arguments.program, "admin", "audit", "--complete", "--config", self.node.configuration)
        return "" if status == 0 else f"the audit ended with {status}: {output}{complaint}"


def tell(rounds: list[Round]) -> None:
    columns = ("round", "streams", "whole", "left", "mixed up", "failed", "seconds", "MiB", "descriptors")
    rows = [(str(each.number), str(each.whole + each.left + len(each.mixed)), str(each.whole), str(each.left),
             str(len(each.mixed)), str(len(each.failed)), f"{each.seconds:.1f}", f"{each.memory:.1f}",
             str(each.descriptors)) for each in rounds]
    widths = [max(len(line[index]) for line in [columns, *rows]) for index in range(len(columns))]
    for line in [columns, *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))


def judge(rounds: list[Round], complaint: str) -> list[str]:
    """What is not as it should be."""
    wrong = [complaint] if complaint else []
    for each in rounds:
        wrong += each.mixed[:3] + each.failed[:3]
    warm, last = rounds[_ROUNDS_BEFORE - 1], rounds[-1]
    if last.memory > warm.memory * _GROWTH + _SLACK_MIB:
        wrong.append(f"memory grew from {warm.memory:.1f} to {last.memory:.1f} MiB")
    if last.descriptors > warm.descriptors + _SLACK_DESCRIPTORS:
        wrong.append(f"descriptors grew from {warm.descriptors} to {last.descriptors}")
    return wrong


async def soak(arguments: argparse.Namespace, folder: str) -> list[str]:
    run_of = Soak(arguments, folder)
    rounds: list[Round] = []
    try:
        await run_of.start()
        deadline = time.monotonic() + arguments.seconds
        while len(rounds) < _ROUNDS_BEFORE + 2 or time.monotonic() < deadline:
            rounds.append(await run_of.play(len(rounds) + 1))
        complaint = await run_of.end()
    finally:
        if hasattr(run_of, "node"):
            await run_of.node.end()
        await run_of.postgres.stop()
    tell(rounds)
    return judge(rounds, complaint)


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/soak", description=__doc__.split("\n")[2])
    parser.add_argument("--program", required=True)
    parser.add_argument("--streams", type=int, default=1000, help="how many at the same time")
    parser.add_argument(
        "--seconds", type=float, default=float(os.environ.get("TURNPIKE_SOAK_SECONDS") or 15),
        help="for how long rounds are begun (or TURNPIKE_SOAK_SECONDS); at least five are")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two pieces of an answer")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    # Two descriptors of the gateway for each stream, and as many here.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 4 * arguments.streams + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f"soak: {wanted} descriptors are needed, and {hard} are allowed", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    folder = tempfile.mkdtemp(prefix="turnpike-soak.", dir="/tmp")
    os.chmod(folder, 0o711)
    try:
        wrong = asyncio.run(soak(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for text in wrong:
        print(f"soak: {text}")
    print(f"soak: seed {arguments.seed}: " + ("FAILED" if wrong else "0 mixed up, memory and descriptors flat"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
