"""How a scenario runs: its rig, its load and faults, the rest, the verdict."""

import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from . import books, engine_log, oracles
from .driver import Driver
from .rig import Cluster, Rig
from .table import Row


@dataclass
class Outcome:
    """What a scenario's own part gives back."""

    driver: Driver
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    """A named run of faults. `run` makes and starts the rig, puts load on it, injects, and stops the load."""

    name: str
    what: str
    run: Callable[[Rig], Awaitable[Outcome]]
    #: What the machine must allow: why it cannot be played here; None if it can.
    obstacle: Callable[[], str | None] = lambda: None


async def play(scenario: Scenario, cluster: Cluster) -> Row:
    """Runs a scenario, brings it to rest, and judges it."""
    started = time.monotonic()
    rig = Rig(cluster, scenario.name)
    verdict = oracles.Verdict()
    attempts: list = []
    notes: list[str] = []
    load_seconds = 0.0
    try:
        outcome = await scenario.run(rig)
        attempts, load_seconds = outcome.driver.attempts, outcome.driver.seconds
        notes += outcome.notes
        await rig.come_to_rest()
        evidence = await gather(rig, attempts)
        verdict = oracles.judge(evidence)
        notes.append(_figures(evidence, verdict))
    except Exception as error:
        # Whatever it is, the table says so and the other scenarios go on.
        rig.complain(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    finally:
        await rig.end()
    return Row(
        scenario.name, rig.faults, attempts, verdict, rig.complaints, time.monotonic() - started, load_seconds, notes)


async def gather(rig: Rig, attempts: list) -> oracles.Evidence:
    """Everything that the three witnesses say, once nothing moves any more."""
    audit = await rig.audit()
    rig.note_names()
    rig.sampler.stop()
    with rig.connect() as connection:
        routes = rig.routes and rig.routes.read()
        return oracles.Evidence(
            attempts=attempts, emissions=routes.answers if routes else engine_log.read(rig.cluster.engine_log),
            books=books.read(connection), routes=routes,
            names=dict(rig.names), lost=rig.lost, over_limit=rig.sampler.over_limit,
            broken_identity=rig.sampler.broken_identity, samples=rig.sampler.samples,
            teams={key.name: key.team for key in rig.keys}, audit=audit)


def _figures(evidence: oracles.Evidence, verdict: oracles.Verdict) -> str:
    bases = ", ".join(
        f"{number} {books.BASES[basis]}" for basis, number in sorted(verdict.by_basis.items()))
    return (
        f"{evidence.samples} snapshots; records: {bases}; {evidence.books.adjustments} corrections; "
        f"{verdict.refused_but_charged} refused but charged; overhang {verdict.overhang} tokens at most")
