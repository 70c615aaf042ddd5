"""What the engine does for a request, decided by the nonce in its prompt alone.

The engine and the oracles both make a plan of the same nonce, so neither has to tell the other. Every token is four
bytes of text: a gateway that counts text instead of being told a number counts the same.
"""

import random
import re
import zlib
from dataclasses import dataclass

TOKEN_BYTES = 4
_NONCE = re.compile(r"nonce=([0-9a-z.-]+);")


@dataclass(frozen=True)
class Plan:
    """How the engine answers one request."""

    tokens: int
    #: Tokens of each chunk; their sum is `tokens`.
    chunks: tuple[int, ...]
    #: Seconds before the first chunk, and between two.
    first_after: float
    pause: float
    #: One of `""`, `"refuse"` (status 500), `"reset"` (connection cut after `fault_at` chunks), `"no_usage"`,
    #: `"deaf"` (ignores the bound on its answer).
    fault: str = ""
    fault_at: int = 0


def prompt(nonce: str, tokens: int) -> str:
    """A prompt that carries `nonce` and has as many tokens as the engine will count: a quarter of its bytes.

    The role's name counts as part of the prompt, as it does for the gateway.
    """
    text = f"nonce={nonce};"
    size = tokens * TOKEN_BYTES - len("user")
    if len(text) > size:
        raise ValueError(f"a prompt with this nonce has more than {tokens} tokens")
    return text + "." * (size - len(text))


def nonce_of(text: str) -> str | None:
    """The nonce of a prompt."""
    found = _NONCE.search(text)
    return found.group(1) if found else None


def prompt_tokens(text: str) -> int:
    """What the engine counts for a prompt of one user message."""
    return (len(text.encode()) + len("user") + TOKEN_BYTES - 1) // TOKEN_BYTES


def token(nonce: str, index: int) -> str:
    """The text of a token: an answer that got another's piece, or a piece twice, does not match."""
    return f"{zlib.crc32(f'{nonce}:{index}'.encode()) & 0xFFF:03x} "


def text(nonce: str, first: int, count: int) -> str:
    """The text of `count` tokens from `first` on."""
    return "".join(token(nonce, index) for index in range(first, first + count))


def plan(nonce: str) -> Plan:
    """The plan for a nonce. A nonce that ends in `-q` gets a quick answer without faults."""
    dice = random.Random(nonce)
    if nonce.endswith("-q"):
        return Plan(tokens=4, chunks=(2, 2), first_after=0.01, pause=0.01)
    fault = dice.choices(("", "refuse", "reset", "no_usage", "deaf"), (90, 2, 3, 3, 2))[0]
    tokens = dice.randint(1, 40)
    # Without a usage report a chunk is the least that a token can be: an engine that ignores its bound is cut exactly
    # at it only if it sends them one by one.
    sizes = (1,) if fault == "deaf" else (1, 1, 2, 3, 5)
    chunks = []
    while sum(chunks) < tokens:
        chunks.append(min(dice.choice(sizes), tokens - sum(chunks)))
    whole = dice.uniform(0.05, 0.5)
    first_after = whole * dice.uniform(0.1, 0.5)
    return Plan(
        tokens=tokens, chunks=tuple(chunks), first_after=first_after, pause=(whole - first_after) / len(chunks),
        fault=fault, fault_at=dice.randint(0, len(chunks) - 1))


#: How an engine that was started as a frail one fails before it has answered, and how often in a hundred calls.
FRAILTIES = {"": 50, "500": 8, "503": 8, "429": 6, "reset": 8, "hang": 8, "half": 12}


def frailty(nonce: str) -> str:
    """How a frail engine fails a nonce: a status; `reset` cuts the connection; `hang` says nothing until the gateway
    leaves; `half` generates, and cuts the connection before all of it is sent; nothing answers as the plan says.
    """
    return random.Random(f"frail {nonce}").choices(tuple(FRAILTIES), tuple(FRAILTIES.values()))[0]
