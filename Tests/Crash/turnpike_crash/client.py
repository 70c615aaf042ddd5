"""An HTTP client for one request: it records every token it got, and leaves when it is told to."""

import asyncio
import json
import time
import zlib
from dataclasses import dataclass, field


@dataclass
class Attempt:
    """One request as its client saw it."""

    nonce: str
    #: The key's name.
    key: str
    node: str
    streams: bool
    prompt_tokens: int
    max_tokens: int
    #: Leave once so many bytes of the answer have come; None stays.
    leave_at: int | None = None
    #: Wall-clock seconds at which it was sent.
    sent_at: float = 0.0
    status: int | None = None
    request_id: str | None = None
    code: str | None = None
    text: str = ""
    #: The usage in the answer, where it is told.
    usage: dict | None = None
    #: `finished`, `refused` (a whole answer that is no 200), `cut` (the end never came), `error` (an error event in a
    #: stream), `left`, `unconnected`.
    outcome: str = "cut"
    #: On the machine's monotonic clock: when it left.
    left_at: float | None = None
    #: On the same: when the last byte came.
    heard_at: float | None = None
    #: Seconds from sending to the end.
    took: float = 0.0

    @property
    def tokens(self) -> int:
        """Whole tokens received."""
        return len(self.text) // 4


@dataclass
class _Reader:
    """What has been read of an answer. Pure: bytes in, state out."""

    attempt: Attempt
    buffer: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    has_head: bool = False
    is_chunked: bool = False
    length: int = 0
    body: bytes = b""
    is_over: bool = False

    def take(self, data: bytes) -> None:
        self.buffer += data
        if not self.has_head and not self._take_head():
            return
        if self.is_chunked:
            self._take_chunks()
        else:
            self.body += self.buffer
            self.buffer = b""
            if len(self.body) >= self.length:
                self._whole(self.body[:self.length])

    def _take_head(self) -> bool:
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        lines = head.decode("latin-1").split("\r\n")
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.attempt.status = int(lines[0].split(" ")[1])
        self.attempt.request_id = self.headers.get("x-request-id")
        self.is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self.length = int(self.headers.get("content-length", 0))
        self.buffer = rest
        self.has_head = True
        return True

    def _take_chunks(self) -> None:
        while True:
            size, separator, rest = self.buffer.partition(b"\r\n")
            if not separator:
                return
            count = int(size, 16)
            if count == 0:
                self.is_over = True
                if self.attempt.outcome == "cut" and b"error" in self.body:
                    self._events(flush=True)
                return
            if len(rest) < count + 2:
                return
            self.body += rest[:count]
            self.buffer = rest[count + 2:]
            self._events()

    def _events(self, flush: bool = False) -> None:
        while True:
            event, separator, rest = self.body.partition(b"\n\n")
            if not separator:
                return
            self.body = rest
            if not event.startswith(b"data: "):
                continue
            data = event[6:]
            if data == b"[DONE]":
                self.attempt.outcome = "finished"
                continue
            value = json.loads(data)
            if "error" in value:
                self.attempt.outcome = "error"
                self.attempt.code = value["error"].get("code")
                continue
            for choice in value["choices"]:
                self.attempt.text += choice["delta"].get("content") or ""
            self.attempt.usage = value.get("usage") or self.attempt.usage

    def _whole(self, body: bytes) -> None:
        self.is_over = True
        value = json.loads(body)
        if self.attempt.status == 200:
            self.attempt.text = value["choices"][0]["message"]["content"]
            self.attempt.usage = value.get("usage")
            self.attempt.outcome = "finished"
        else:
            self.attempt.code = value["error"].get("code")
            self.attempt.outcome = "refused"


class _Protocol(asyncio.Protocol):
    def __init__(self, attempt: Attempt, request: bytes):
        self.attempt = attempt
        self.request = request
        self.reader = _Reader(attempt)
        self.bytes = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        leave_at = self.attempt.leave_at
        if leave_at is not None and self.bytes + len(data) >= leave_at:
            # What lies beyond the byte at which it leaves was never read.
            self.reader.take(data[:leave_at - self.bytes])
            if not self.reader.is_over:
                return self.leave()
        self.bytes += len(data)
        self.attempt.heard_at = time.monotonic()
        self.reader.take(data)
        if self.reader.is_over:
            self.transport.abort()
            self.end()

    def leave(self) -> None:
        if self.over.done():
            return
        self.attempt.outcome = "left"
        self.attempt.left_at = time.monotonic()
        self.transport.abort()
        self.end()

    def connection_lost(self, error) -> None:
        self.end()

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def send(attempt: Attempt, secret: str, port: int, body: dict, patience: float = 60.0) -> Attempt:
    """Sends one request on a connection of its own and returns when it is over, however it is.

    With `leave_at` 0 it leaves while it waits for the first byte, after a moment that the nonce decides.
    """
    payload = json.dumps(body).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n").encode() + payload
    loop = asyncio.get_running_loop()
    attempt.sent_at = time.time()
    started = time.monotonic()
    try:
        _, protocol = await loop.create_connection(lambda: _Protocol(attempt, request), "127.0.0.1", port)
    except OSError:
        attempt.outcome = "unconnected"
        return attempt
    if attempt.leave_at == 0:
        loop.call_later(zlib.crc32(attempt.nonce.encode()) % 200 / 1000, protocol.leave)
    try:
        await asyncio.wait_for(asyncio.shield(protocol.over), patience)
    except asyncio.TimeoutError:
        attempt.code = "harness: no end in time"
        protocol.transport.abort()
    attempt.took = time.monotonic() - started
    return attempt
