"""Reads the engine's log back: what was generated for each request."""

from dataclasses import dataclass, field


@dataclass
class Emission:
    """Everything that the engine says of one nonce."""

    calls: int = 0
    prompt: int = 0
    emitted: int = 0
    #: What it told the gateway as the completion's length; None if it never did.
    usage: int | None = None
    #: `end`, `gone`, `reset`, or empty while the call was still running.
    end: str = ""
    ended_at: float = 0.0
    #: Tokens so far and when, one entry a chunk.
    chunks: list[tuple[int, float]] = field(default_factory=list)


def read(path: str) -> dict[str, Emission]:
    """Every call so far, by nonce."""
    found: dict[str, Emission] = {}
    with open(path) as file:
        for line in file:
            nonce, event, number, at = line.split()
            emission = found.setdefault(nonce, Emission())
            count, moment = int(number), float(at)
            if event == "begin":
                emission.calls += 1
                emission.prompt = count
            elif event == "emit":
                emission.emitted = max(emission.emitted, count)
                emission.chunks.append((count, moment))
            elif event == "usage":
                emission.usage = count
            else:
                emission.end = event
                emission.ended_at = moment
    return found
