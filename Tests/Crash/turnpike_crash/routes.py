"""Requests that may be tried at several engines: what each engine says, and O7, which holds it against the ledger.

A request is tried at `frail`, and at `engine` when that fails; of some a copy goes to `copy`, which a key of the
operator's pays for.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from . import engine_log
from . import plan as plans
from .books import RECOVERED, REPORTED, SWEPT, Books, Usage
from .client import Attempt
from .engine_log import Emission
from .matching import Matches

FRAIL, FIRM, COPY = "frail", "engine", "copy"
#: Outcomes of a try: `Attempt.Outcome` in the sources.
ANSWERED, CANCELLED, BROKE_OFF = 1, 9, 10


@dataclass
class Routes:
    """The engines' logs, and what they say once they are read."""

    logs: dict[str, str]
    #: The name of the key that pays for copies.
    payer: str
    #: What each engine says of each nonce.
    emissions: dict[str, dict[str, Emission]] = field(default_factory=dict)

    def read(self) -> "Routes":
        return replace(self, emissions={name: engine_log.read(log) for name, log in self.logs.items()})

    @property
    def answers(self) -> dict[str, Emission]:
        """Of each nonce what the engine says that was called last: the firm one, if it was called at all."""
        merged = {**self.emissions[FRAIL], **self.emissions[FIRM]}
        return {nonce: replace(emission, calls=min(emission.calls, 1)) for nonce, emission in merged.items()}

    def calls(self, nonce: str) -> Counter[str]:
        """How often each engine was called for a client's request."""
        return Counter({
            name: self.emissions[name][nonce].calls for name in (FRAIL, FIRM) if nonce in self.emissions[name]})


def violations(routes: Routes, attempts: list[Attempt], matches: Matches, books: Books) -> list[str]:
    """O7: engines and ledger agree on who was called, who answered is who is paid for, and no client pays for a copy."""
    found: list[str] = []
    for attempt in attempts:
        records = matches.of(attempt)
        if len(records) == 1:
            found += _of_request(routes, attempt, records[0], books.tries.get(records[0].request_id, []))
    return found + _of_copies(routes, books)


def _of_request(routes: Routes, attempt: Attempt, record: Usage, tries: list[tuple[str, int]]) -> list[str]:
    found = []
    calls = routes.calls(attempt.nonce)
    name = f"{attempt.nonce} ({attempt.request_id or record.request_id}, {attempt.outcome}, basis {record.basis}, " \
           f"{record.backend}): tries {tries}, calls {dict(calls)}"
    if record.backend == COPY:
        found.append(f"{name}: a client paid for a copy")
    if attempt.outcome == "finished" and record.basis != SWEPT:
        emission = routes.emissions.get(record.backend, {}).get(attempt.nonce, Emission())
        if record.basis != RECOVERED and emission.emitted < attempt.tokens:
            found.append(f"{name}: it generated {emission.emitted} of the {attempt.tokens} tokens")
    if not _is_whole(record):
        # Its gateway died: whom it had called is known to nobody but the engines.
        return found
    expected = Counter(backend for backend, _ in tries) if tries else Counter({record.backend: 1})
    for backend in (FRAIL, FIRM):
        least, most = expected[backend], expected[backend]
        if not tries and attempt.outcome != "finished" or (backend, CANCELLED) in tries:
            # Whose client left may not have been sent yet.
            least -= 1
        if _breaks(backend, attempt.nonce):
            # Where a connection was used before and breaks without a byte, the HTTP client calls once more on another.
            most *= 2
        if not max(0, least) <= calls[backend] <= most:
            found.append(f"{name}: {backend} was called {calls[backend]} times")
    if tries:
        if any(outcome in (ANSWERED, BROKE_OFF) for _, outcome in tries[:-1]):
            found.append(f"{name}: tried again after an answer")
        if attempt.outcome == "finished" and tries[-1] != (record.backend, ANSWERED):
            found.append(f"{name}: the last try is not the answer that is paid for")
    return found


def _breaks(backend: str, nonce: str) -> bool:
    """Whether an engine breaks its connection for this nonce."""
    return plans.plan(nonce).fault == "reset" or backend == FRAIL and plans.frailty(nonce) in ("reset", "half")


def _is_whole(record: Usage) -> bool:
    """Whether a record was closed by the gateway that served it."""
    return record.basis not in (RECOVERED, SWEPT) and record.duration > 0


def _of_copies(routes: Routes, books: Books) -> list[str]:
    """Every copy that was called for has its record, on the operator's key, with what the engine generated."""
    found = []
    copies = [record for record in books.usage if record.key == routes.payer]
    found += [f"{record.request_id}: {record.key} pays for a copy" for record in books.usage
              if record.backend == COPY and record.key != routes.payer]
    emissions = routes.emissions[COPY]
    # Of those that a gateway's death cut off some had not been accepted yet.
    whole = sum(emission.end in ("end", "reset") for emission in emissions.values())
    if len(copies) < whole:
        found.append(f"{whole} copies were called for and ended, and {len(copies)} have a record")
    for record in copies:
        if record.backend != COPY or record.request_id in books.tries and len(books.tries[record.request_id]) > 1:
            found.append(f"{record.request_id}: a copy at {record.backend}, tried {books.tries.get(record.request_id)}")
    ended = Counter((emission.prompt, emission.usage) for emission in emissions.values() if emission.end == "end")
    charged = Counter((record.prompt, record.completion) for record in copies if record.basis == REPORTED)
    for usage, number in (charged - ended).items():
        found.append(f"{number} copies are charged {usage} tokens, which their engine did not report")
    return found
