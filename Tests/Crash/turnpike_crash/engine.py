"""The mock engine: speaks the chat-completions protocol, and logs every token before it sends it.

A process of its own, so that no fault of a gateway or of the harness reaches it. Its log is the oracle of what was
generated. A line is `NONCE EVENT NUMBER SECONDS` (the monotonic clock of the machine):

    begin P    a call came in whose prompt has P tokens
    emit N     N tokens so far, written before they go to the socket
    usage C    it told the gateway that the answer has C completion tokens
    end N      the answer is whole
    gone N     the gateway closed the connection before that
    reset N    the engine itself cut the connection, or refused (N = 0), as planned

A frail one fails many calls before it has answered them, as `plan.frailty` says.
"""

import argparse
import asyncio
import json
import os
import signal
import time

from . import plan as plans

MODEL = "mock"


class Log:
    """Append-only; a line is in the file before the call returns."""

    def __init__(self, path: str):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, nonce: str, event: str, number: int) -> None:
        os.write(self._file, f"{nonce} {event} {number} {time.monotonic():.6f}\n".encode())


class Call:
    """One answer on its way."""

    def __init__(self, connection: "EngineConnection", body: dict):
        message = body["messages"][-1]["content"]
        self.nonce = plans.nonce_of(message) or "unknown"
        self.connection = connection
        self.plan = plans.plan(self.nonce)
        self.prompt = plans.prompt_tokens(message)
        bound = int(body.get("max_completion_tokens") or body.get("max_tokens") or 1 << 30)
        self.streams = bool(body.get("stream"))
        self.bound = 1 << 30 if self.plan.fault == "deaf" and self.streams else bound
        self.emitted = 0
        self.position = 0
        self.timer: asyncio.TimerHandle | None = None
        self.log("begin", self.prompt)

    @property
    def length(self) -> int:
        return min(self.plan.tokens, self.bound)

    def log(self, event: str, number: int) -> None:
        self.connection.log.write(self.nonce, event, number)

    def start(self) -> None:
        frailty = plans.frailty(self.nonce) if self.connection.is_frail else ""
        if frailty == "hang":
            return
        act = self.step if self.streams else self.whole
        self.after(self.plan.first_after, (lambda: self.fail(frailty)) if frailty else act)

    def fail(self, frailty: str) -> None:
        """Fails before the gateway has an answer."""
        if frailty.isdigit():
            self.log("reset", 0)
            return self.connection.reply(int(frailty), {"error": {"message": "frail", "type": "server_error"}})
        if frailty == "half":
            if self.streams:
                self.connection.begin_stream()
            else:
                self.connection.half(self.emit(self.length))
        self.log("reset", self.emitted)
        self.connection.cut()

    def after(self, seconds: float, act) -> None:
        self.timer = asyncio.get_running_loop().call_later(seconds, act)

    def gone(self) -> None:
        """The gateway left."""
        if self.timer:
            self.timer.cancel()
        self.log("gone", self.emitted)

    def refused(self) -> bool:
        if self.plan.fault != "refuse":
            return False
        self.log("reset", 0)
        self.connection.reply(500, {"error": {"message": "planned", "type": "server_error", "code": None}})
        return True

    def emit(self, count: int) -> str:
        text = plans.text(self.nonce, self.emitted, count)
        self.emitted += count
        self.log("emit", self.emitted)
        return text

    def usage(self) -> dict:
        self.log("usage", self.emitted)
        return {"prompt_tokens": self.prompt, "completion_tokens": self.emitted,
                "total_tokens": self.prompt + self.emitted}

    def whole(self) -> None:
        if self.refused():
            return
        if self.plan.fault == "reset":
            self.log("reset", 0)
            return self.connection.cut()
        text = self.emit(self.length)
        answer = {"id": self.nonce, "object": "chat.completion", "created": 1, "model": MODEL,
                  "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                               "finish_reason": self.finish_reason}]}
        if self.plan.fault != "no_usage":
            answer["usage"] = self.usage()
        self.log("end", self.emitted)
        self.connection.reply(200, answer)

    @property
    def finish_reason(self) -> str:
        return "stop" if self.plan.tokens <= self.bound else "length"

    def step(self) -> None:
        """Sends the next chunk of a stream."""
        if self.position == 0:
            if self.refused():
                return
            self.connection.begin_stream()
        if self.plan.fault == "reset" and self.position >= self.plan.fault_at:
            self.log("reset", self.emitted)
            return self.connection.cut()
        count = min(self.plan.chunks[self.position], self.length - self.emitted)
        self.connection.event(self.chunk({"content": self.emit(count)}, None))
        self.position += 1
        if self.emitted >= self.length:
            return self.after(self.plan.pause, self.finish)
        self.after(self.plan.pause, self.step)

    def finish(self) -> None:
        events = [self.chunk({}, self.finish_reason)]
        if self.plan.fault != "no_usage":
            events.append(json.dumps({"id": self.nonce, "object": "chat.completion.chunk", "created": 1,
                                      "model": MODEL, "choices": [], "usage": self.usage()}))
        self.log("end", self.emitted)
        self.connection.end_stream([*events, "[DONE]"])

    def chunk(self, delta: dict, reason: str | None) -> str:
        return json.dumps({"id": self.nonce, "object": "chat.completion.chunk", "created": 1, "model": MODEL,
                           "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


class EngineConnection(asyncio.Protocol):
    """One connection of a gateway; a call at a time."""

    def __init__(self, log: Log, is_frail: bool):
        self.log = log
        self.is_frail = is_frail
        self.buffer = b""
        self.call: Call | None = None

    def connection_made(self, transport) -> None:
        self.transport = transport

    def connection_lost(self, error) -> None:
        if self.call:
            self.call.gone()
            self.call = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator or self.call:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"expect":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.call = Call(self, json.loads(rest[:length]))
        self.call.start()

    def reply(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.call = None
        self.transport.write(
            f"HTTP/1.1 {status} Planned\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            .encode() + body)

    def half(self, text: str) -> None:
        """The beginning of a whole answer."""
        body = json.dumps({"id": "half", "choices": [{"message": {"content": text}}]}).encode()
        self.transport.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:len(body) // 2])

    def begin_stream(self) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

    def event(self, data: str) -> None:
        self.transport.write(self.piece(data))

    def end_stream(self, events: list[str]) -> None:
        self.call = None
        self.transport.write(b"".join(self.piece(data) for data in events) + b"0\r\n\r\n")

    def cut(self) -> None:
        self.call = None
        self.transport.abort()

    @staticmethod
    def piece(data: str) -> bytes:
        event = f"data: {data}\n\n".encode()
        return f"{len(event):x}\r\n".encode() + event + b"\r\n"


async def serve(log: str, port: int, is_frail: bool) -> None:
    """Serves until SIGTERM; prints its port first."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    book = Log(log)
    server = await loop.create_server(lambda: EngineConnection(book, is_frail), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--frail", action="store_true")
    options = parser.parse_args()
    asyncio.run(serve(options.log, options.port, options.frail))
