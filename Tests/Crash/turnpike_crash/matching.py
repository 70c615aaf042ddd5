"""Which usage record is whose request.

A client knows its request's id from the answer's head. Of an answer whose head never came, the record is found by
what both sides know: the key, the node, the time, and the prompt's length, which the driver makes a fingerprint.
"""

from dataclasses import dataclass, field

from .books import SWEPT, VOID, Usage
from .client import Attempt

#: What the gateway adds to a prompt's bytes for its bound: once, and for one message.
BOUND_CONSTANT = 64 + 16
#: How long before its admission a request may have been sent, in seconds: a stopped node may sleep long.
EARLIEST, LATEST = 60.0, 0.5


@dataclass
class Matches:
    """Attempts with their records."""

    records: dict[str, list[Usage]] = field(default_factory=dict)
    #: Records that no attempt can have made.
    strangers: list[Usage] = field(default_factory=list)

    def of(self, attempt: Attempt) -> list[Usage]:
        return self.records.get(attempt.nonce, [])


def prompt_of(usage: Usage) -> int | None:
    """The prompt's tokens by a record; None if it does not tell."""
    if usage.basis == VOID:
        return None
    if usage.basis == SWEPT:
        return (usage.prompt - BOUND_CONSTANT) // 4
    return usage.prompt


def match(attempts: list[Attempt], usage: list[Usage], names: dict[int, str]) -> Matches:
    """Finds every record's attempt. `names` are the nodes' names by their numbers in the ledger."""
    matches = Matches()
    by_id = {attempt.request_id.removeprefix("req_"): attempt for attempt in attempts if attempt.request_id}
    nameless: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if not attempt.request_id and attempt.outcome != "unconnected":
            nameless.setdefault(attempt.key, []).append(attempt)
    # Records that tell their prompt choose first: the others fit many attempts.
    for record in sorted(usage, key=lambda record: (prompt_of(record) is None, record.admitted_at)):
        attempt = by_id.get(record.request_id) or _nearest(nameless.get(record.key, []), record, names)
        if attempt is None:
            matches.strangers.append(record)
            continue
        if not attempt.request_id:
            nameless[record.key].remove(attempt)
        matches.records.setdefault(attempt.nonce, []).append(record)
    return matches


def _nearest(candidates: list[Attempt], record: Usage, names: dict[int, str]) -> Attempt | None:
    prompt = prompt_of(record)
    fitting = [
        attempt for attempt in candidates
        if -LATEST <= record.admitted_at - attempt.sent_at <= EARLIEST
        and (prompt is None or prompt == attempt.prompt_tokens)
        and attempt.node == names.get(record.node, attempt.node)
    ]
    return min(fitting, key=lambda attempt: abs(record.admitted_at - attempt.sent_at), default=None)
