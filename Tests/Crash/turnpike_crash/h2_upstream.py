"""An upstream of HTTP/2 over TLS, under an authority of its own, that answers with the nonce it is asked with."""

import asyncio
import json
import subprocess

from hypercorn.asyncio import serve
from hypercorn.config import Config

from .processes import free_ports

_PIECES = 6
#: Of a flood: more than fits between an upstream and a client that does not read.
FLOOD_PIECES, _FLOOD_BYTES = 2500, 20_000


def _without_cancellations(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """Python 3.11 reports each connection that is cancelled at the server's end as a fault of its own callback."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


class H2Upstream:
    """Served by hypercorn, which offers HTTP/2 and HTTP/1.1 by ALPN."""

    def __init__(self, folder: str):
        self.folder = folder
        self.port = free_ports(1)[0]
        self.gone: set[str] = set()
        self.versions: set[str] = set()
        #: How many pieces of a flood were taken.
        self.flooded = 0
        self._clients: set[tuple[str, int]] = set()
        self._end = asyncio.Event()
        self._task: asyncio.Task | None = None

    @property
    def authority(self) -> str:
        return f"{self.folder}/authority.pem"

    @property
    def connections(self) -> int:
        """How many connections requests came over."""
        return len(self._clients)

    @staticmethod
    def text(nonce: str) -> str:
        return "".join(f"{nonce}:{number} " for number in range(_PIECES))

    def forget(self) -> None:
        self.gone, self.versions, self._clients = set(), set(), set()

    async def start(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{self.folder}/key.pem", "-out", self.authority],
            check=True, capture_output=True)
        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.certfile, config.keyfile = self.authority, f"{self.folder}/key.pem"
        config.errorlog = None
        asyncio.get_running_loop().set_exception_handler(_without_cancellations)
        self._task = asyncio.create_task(serve(self._answer, config, shutdown_trigger=self._end.wait))
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.05)
        raise RuntimeError("the upstream of HTTP/2 did not start")

    async def stop(self) -> None:
        self._end.set()
        if self._task:
            await asyncio.wait([self._task], timeout=5)

    async def wait_gone(self, nonces: set[str]) -> None:
        """Waits until all of these streams were left, at most for five seconds."""
        for _ in range(100):
            if nonces <= self.gone:
                return
            await asyncio.sleep(0.05)

    async def _answer(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        request = json.loads(body)
        nonce = request["messages"][-1]["content"]
        self.versions.add(scope["http_version"])
        self._clients.add(tuple(scope["client"]))
        if request.get("stream"):
            await self._stream(nonce, receive, send)
        else:
            await self._whole(nonce, send)

    async def _whole(self, nonce: str, send) -> None:
        answer = {"choices": [{"index": 0, "message": {"content": self.text(nonce)}, "finish_reason": "stop"}],
                  "usage": {"prompt_tokens": 5, "completion_tokens": _PIECES}}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _flood(self, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        text = json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * _FLOOD_BYTES}}]})
        for number in range(FLOOD_PIECES):
            self.flooded = number
            await send({"type": "http.response.body", "body": f"data: {text}\n\n".encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _stream(self, nonce: str, receive, send) -> None:
        if nonce == "flood":
            return await self._flood(send)
        left = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})

        async def event(text: str) -> None:
            await send({"type": "http.response.body", "body": f"data: {text}\n\n".encode(), "more_body": True})

        for number in range(_PIECES):
            # Whoever is to leave has no other way out.
            waits = 30 if nonce.endswith("-leaves") and number == 2 else 0.05
            if await asyncio.wait([left], timeout=waits) != (set(), {left}):
                self.gone.add(nonce)
                return
            await event(json.dumps({"choices": [{"index": 0, "delta": {"content": f"{nonce}:{number} "}}]}))
        await event(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        await event(json.dumps({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": _PIECES}}))
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        left.cancel()
