"""O1 to O6 of `ledger.md` §9, and O7 of routes: what must be true after a run, by three independent witnesses.

The client knows what it got, the engine what it generated, the ledger what was charged. Nothing here is lenient: a
run that breaks an oracle has found a bug, of the gateway or of the harness.
"""

from dataclasses import dataclass, field

from . import plan as plans
from . import routes
from .books import RECOVERED, SWEPT, TOKENS, Books, Usage
from .client import Attempt
from .engine_log import Emission
from .matching import Matches, match
from .routes import Routes

#: One read of the gateway may bring several chunks, if the engine sent them while the gateway was not scheduled:
#: what was noted and not delivered may be one chunk, and those before it that came no earlier than this.
ONE_READ_SECONDS = 0.25
#: Nano-dollars per token of the harness's price.
PROMPT_NANOUSD, COMPLETION_NANOUSD = 1000, 2000


@dataclass
class Evidence:
    """What one run left behind."""

    attempts: list[Attempt]
    emissions: dict[str, Emission]
    books: Books
    #: Node names by their numbers in the ledger.
    names: dict[int, str]
    #: What each node that never came back had open in the ledger, by its number.
    lost: dict[int, int]
    over_limit: list[str]
    broken_identity: list[str]
    samples: int
    #: Team names by key names.
    teams: dict[str, str]
    audit: tuple[int, str]
    #: Where requests may be tried at several engines: what each of them says.
    routes: Routes | None = None


@dataclass
class Verdict:
    """What the oracles say of a run."""

    #: Violations by oracle, each in words.
    violations: dict[str, list[str]] = field(default_factory=lambda: {f"O{number}": [] for number in range(1, 8)})
    #: Requests that delivered something which was not charged, or were not recorded.
    lost: set[str] = field(default_factory=set)
    #: Requests charged twice, or more than was generated.
    double: set[str] = field(default_factory=set)
    over_limit: int = 0
    #: Refused requests that were charged for what had been generated: allowed, and worth knowing.
    refused_but_charged: int = 0
    #: The most tokens that a recovered request was charged beyond what its client got.
    overhang: int = 0
    by_basis: dict[int, int] = field(default_factory=dict)

    def say(self, oracle: str, text: str) -> None:
        self.violations[oracle].append(text)

    @property
    def is_good(self) -> bool:
        return not any(self.violations.values()) and not self.over_limit


def judge(evidence: Evidence) -> Verdict:
    """Applies every oracle."""
    verdict = Verdict()
    books = evidence.books
    # Copies have no client whose request they could be.
    payer = evidence.routes.payer if evidence.routes else None
    usage = [record for record in books.usage if record.key != payer]
    matches = match(evidence.attempts, usage, evidence.names)
    for attempt in evidence.attempts:
        _judge_attempt(attempt, matches.of(attempt), evidence, verdict)
    for record in books.usage:
        verdict.by_basis[record.basis] = verdict.by_basis.get(record.basis, 0) + 1
    _judge_rows(evidence, matches, verdict)
    _judge_accounts(evidence, verdict)
    if evidence.routes:
        for text in routes.violations(evidence.routes, evidence.attempts, matches, books):
            verdict.say("O7", text)
    return verdict


def _judge_attempt(attempt: Attempt, records: list[Usage], evidence: Evidence, verdict: Verdict) -> None:
    emission = evidence.emissions.get(attempt.nonce, Emission())
    name = f"{attempt.nonce} ({attempt.request_id or 'no id'}, {attempt.outcome}, status {attempt.status})"
    if attempt.text != plans.text(attempt.nonce, 0, attempt.tokens):
        verdict.say("O1", f"{name}: its text is not what the engine said to it: {attempt.text[:60]!r}")
    if emission.calls > 1 and plans.plan(attempt.nonce).fault != "reset":
        # After a reset without a byte the gateway's HTTP client may call again on another connection.
        verdict.say("O3", f"{name}: the engine was called {emission.calls} times for it")
    if attempt.tokens > emission.emitted:
        verdict.say("O2", f"{name}: got {attempt.tokens} tokens of {emission.emitted}")
    if len(records) > 1:
        verdict.double.add(attempt.nonce)
        verdict.say("O3", f"{name}: has {len(records)} usage records")
    is_accepted = attempt.status == 200
    if not records:
        if is_accepted:
            verdict.lost.add(attempt.nonce)
            verdict.say("O3", f"{name}: accepted, and has no usage record")
        return
    record = records[0]
    charged = record.tokens if record.tokens is not None else record.charged
    name += f" [basis {record.basis}, charged {charged}, engine {emission.emitted} of prompt {attempt.prompt_tokens}]"
    if attempt.outcome == "finished":
        _judge_finished(attempt, record, charged, emission, name, verdict)
    else:
        _judge_cut(attempt, record, charged, emission, evidence, name, verdict)


def _judge_finished(
    attempt: Attempt, record: Usage, charged: int, emission: Emission, name: str, verdict: Verdict
) -> None:
    """O1."""
    expected = attempt.prompt_tokens + attempt.tokens
    if charged != expected:
        (verdict.lost if charged < expected else verdict.double).add(attempt.nonce)
        verdict.say("O1", f"{name}: finished with {attempt.tokens} tokens")
    if emission.usage is not None and emission.usage != attempt.tokens and emission.emitted <= attempt.max_tokens:
        verdict.say("O1", f"{name}: the engine reported {emission.usage}, the client got {attempt.tokens}")
    if attempt.usage and attempt.usage["total_tokens"] != charged:
        verdict.say("O1", f"{name}: the client was told {attempt.usage['total_tokens']}")
    cost = attempt.prompt_tokens * PROMPT_NANOUSD + attempt.tokens * COMPLETION_NANOUSD
    if record.cost != cost and record.basis != SWEPT:
        verdict.say("O1", f"{name}: cost {record.cost} instead of {cost}")


def _judge_cut(
    attempt: Attempt, record: Usage, charged: int, emission: Emission, evidence: Evidence, name: str,
    verdict: Verdict,
) -> None:
    """O2, for every request whose client did not see its end."""
    delivered = attempt.prompt_tokens + attempt.tokens if attempt.tokens else 0
    if charged < delivered:
        verdict.lost.add(attempt.nonce)
        verdict.say("O2", f"{name}: {attempt.tokens} tokens were delivered")
    if record.basis == SWEPT and record.node in evidence.lost and not record.adjusted:
        # Nobody can know what its node delivered: charged at the bound, which was checked to cover it.
        return
    if charged and charged > attempt.prompt_tokens + emission.emitted:
        verdict.double.add(attempt.nonce)
        verdict.say("O2", f"{name}: more than was generated")
    if charged and attempt.outcome == "refused":
        verdict.refused_but_charged += 1
        if attempt.status != 503:
            verdict.say("O2", f"{name}: refused, and charged")
    if record.basis == RECOVERED and charged:
        completion = charged - attempt.prompt_tokens
        verdict.overhang = max(verdict.overhang, completion - attempt.tokens)
        _judge_overhang(completion, attempt.tokens, emission, name, verdict)


def _judge_overhang(completion: int, delivered: int, emission: Emission, name: str, verdict: Verdict) -> None:
    """What is recovered beyond what was delivered is one read of the gateway at most."""
    beyond = [at for count, at in emission.chunks if delivered < count <= completion]
    if len(beyond) > 1 and beyond[-1] - beyond[0] > ONE_READ_SECONDS:
        verdict.say(
            "O2", f"{name}: {delivered} delivered, {len(beyond)} chunks beyond it over {beyond[-1] - beyond[0]:.3f} s")


def _judge_rows(evidence: Evidence, matches: Matches, verdict: Verdict) -> None:
    """O3 and O6."""
    books = evidence.books
    for record in matches.strangers:
        verdict.double.add(record.request_id)
        verdict.say("O3", f"{record.request_id}: a usage record (basis {record.basis}) that no client can have made")
    if books.reservations:
        verdict.say("O3", f"{books.reservations} requests are still open")
    for node, reserved, lease in books.leases:
        # A lost node may have spent its lease in an outage: the slice is kept until its journal returns, or for good.
        if reserved or node not in evidence.lost:
            verdict.say("O3", f"left after every node drained: {lease}")
    if books.live_lanes:
        verdict.say("O3", f"{books.live_lanes} lanes are live after every node drained")
    for record in books.usage:
        if record.overage:
            verdict.say("O6", f"{record.request_id}: overage {record.overage}")
        if record.basis == SWEPT and record.node not in evidence.lost and \
                sorted(record.adjusted) != sorted(record.accounts):
            verdict.say("O6", f"{record.request_id}: swept, its node came back, corrected for {record.adjusted} "
                              f"of accounts {record.accounts}")
    for node, count in evidence.lost.items():
        # What was swept and set right before belongs to an earlier death, from which it came back.
        swept = sum(
            record.basis == SWEPT and record.node == node and not record.adjusted for record in books.usage)
        if swept != count:
            verdict.say("O6", f"the lost node {node} had {count} requests open, and {swept} were swept")
    # Every request of a key is charged to the same number of accounts: a record that has fewer was not charged to all.
    whole: dict[str, int] = {}
    for record in books.usage:
        whole[record.key] = max(whole.get(record.key, 0), len(record.accounts))
    for record in books.usage:
        if record.charged and len(record.accounts) < whole[record.key]:
            verdict.lost.add(record.request_id)
            verdict.say("O4", f"{record.request_id}: basis {record.basis}, {record.charged} tokens, charged to "
                              f"{len(record.accounts)} accounts of {whole[record.key]}")
    if books.default_partition:
        verdict.say("O6", f"{books.default_partition} records in the default partition")


def _judge_accounts(evidence: Evidence, verdict: Verdict) -> None:
    """O4, O5, and what was delivered against each limit."""
    books = evidence.books
    for account in books.accounts.values():
        name = f"account {account.account_id} of {account.subject}"
        if account.granted != account.used + account.leased:
            verdict.say("O4", f"{name}: granted {account.granted}, used {account.used}, leased {account.leased}")
        booked = books.charged.get(account.account_id, 0) + books.corrected.get(account.account_id, 0)
        if account.used + account.settled != booked:
            verdict.say("O4", f"{name}: {account.used + account.settled} used and settled, {booked} recorded")
        if account.used + account.settled > account.limit:
            verdict.over_limit += 1
            verdict.say("O5", f"{name}: {account.used + account.settled} used of {account.limit}")
    if books.rolled_up != books.recorded:
        verdict.say("O4", f"the rollup has {books.rolled_up} tokens, the records {books.recorded}")
    if evidence.audit[0] != 0:
        verdict.say("O4", f"turnpike admin audit ends with {evidence.audit[0]}: {evidence.audit[1][:1500]}")
    for text in evidence.broken_identity:
        verdict.say("O4", text)
    for text in evidence.over_limit:
        verdict.over_limit += 1
        verdict.say("O5", text)
    if not evidence.samples:
        verdict.say("O5", "no snapshot was taken")
    _judge_delivery(evidence, verdict)


def _judge_delivery(evidence: Evidence, verdict: Verdict) -> None:
    """Promise P1, without a word of the ledger but the limit: delivered tokens never exceed it."""
    delivered: dict[str, int] = {}
    for attempt in evidence.attempts:
        if attempt.tokens:
            tokens = attempt.prompt_tokens + attempt.tokens
            for subject in (f"key {attempt.key}", f"team {evidence.teams.get(attempt.key)}"):
                delivered[subject] = delivered.get(subject, 0) + tokens
    for account in evidence.books.accounts.values():
        if account.resource == TOKENS and delivered.get(account.subject, 0) > account.limit:
            verdict.over_limit += 1
            verdict.say("O5", f"{account.subject}: {delivered[account.subject]} tokens delivered of {account.limit}")
