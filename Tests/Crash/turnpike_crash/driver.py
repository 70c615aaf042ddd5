"""The load: many clients over all nodes, each attempt recorded."""

import asyncio
import random
import time
from dataclasses import dataclass

from . import plan as plans
from .client import Attempt, send
from .node import Node


@dataclass(frozen=True)
class Key:
    """A key as its clients know it."""

    key_id: str
    secret: str
    name: str
    team: str


@dataclass
class Load:
    """What the clients ask for."""

    #: Requests per second over all clients. A slow machine does fewer.
    rate: float = 150.0
    clients: int = 60
    #: The share of clients that leave at a random byte.
    leaving: float = 0.0
    #: The share of requests that are streamed.
    streaming: float = 0.7
    #: Whether nonces ask for quick answers without faults.
    quick: bool = False


class Driver:
    """Clients that send until they are told to stop."""

    def __init__(self, nodes: list[Node], keys: list[Key], load: Load, seed: int, name: str):
        self.nodes = nodes
        self.keys = keys
        self.load = load
        self.name = name
        self.dice = random.Random(seed)
        self.attempts: list[Attempt] = []
        #: Nodes that clients do not call: drained, or lost for good.
        self.shunned: set[str] = set()
        self._stop = False
        self._tasks: list[asyncio.Task] = []
        self._next_at = 0.0
        self.started_at = 0.0
        self.seconds = 0.0

    def start(self) -> None:
        self.started_at = self._next_at = time.monotonic()
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self.load.clients)]

    async def stop(self) -> None:
        """No new request is sent; returns when those under way are over."""
        self._stop = True
        self.seconds = time.monotonic() - self.started_at
        await asyncio.gather(*self._tasks)

    async def _client(self) -> None:
        while not self._stop:
            # One clock for all clients spaces the requests evenly; who is late does not make up for it in a burst.
            now = time.monotonic()
            self._next_at = max(self._next_at + 1 / self.load.rate, now - 0.1)
            if self._next_at > now:
                await asyncio.sleep(self._next_at - now)
            if self._stop:
                return
            choice = [node for node in self.nodes if node.name not in self.shunned]
            if not choice:
                await asyncio.sleep(0.05)
                continue
            attempt = await self.once(self.dice.choice(choice), self.keys[len(self.attempts) % len(self.keys)])
            if attempt.outcome == "unconnected":
                await asyncio.sleep(0.02)

    async def once(self, node: Node, key: Key, max_tokens: int | None = None) -> Attempt:
        """Sends one request and records it."""
        number = len(self.attempts)
        dice = self.dice
        nonce = f"{self.name}-{number}" + ("-q" if self.load.quick else "")
        # The prompt's length tells attempts apart whose request id never reached the client: with the key, those of
        # one length are many seconds apart.
        prompt_tokens = 12 + number % 211
        attempt = Attempt(
            nonce=nonce, key=key.name, node=node.name, streams=dice.random() < self.load.streaming,
            prompt_tokens=prompt_tokens, max_tokens=max_tokens or dice.choice((8, 20, 48, 48, 64)))
        if dice.random() < self.load.leaving:
            attempt.leave_at = dice.choice((0, dice.randint(1, 600), dice.randint(1, 4000)))
        self.attempts.append(attempt)
        body = {
            "model": "mock", "max_tokens": attempt.max_tokens, "stream": attempt.streams,
            "messages": [{"role": "user", "content": plans.prompt(nonce, prompt_tokens)}],
        }
        if attempt.streams and dice.random() < 0.5:
            body["stream_options"] = {"include_usage": True}
        return await send(attempt, key.secret, node.port, body)
