"""R13: many clients on several nodes race for the last of a budget."""

import asyncio
import signal
import time

from ..driver import Load
from ..node import Node
from ..rig import Rig
from ..scenario import Outcome, Scenario

#: Where a node dies that gives back what another asked for.
_POINTS = ("recall.after-return",)
_BUDGET = 100
_CLIENTS = 24
#: A refusal while budget is left, and marked as not worth a retry, may stand for so long.
_WRONG_REFUSAL_SECONDS = 1.5


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    driver = rig.driver(Load(quick=True, streaming=0.5))
    driver.started_at = time.monotonic()
    shares = []
    for number in range(rig.settings.count(50)):
        key = await rig.make_key("wide", f"race-{number}", ["--requests", f"{_BUDGET}/total"])
        rig.keys.append(key)
        shares.append(await _race(rig, driver, key))
        rig.count("races")
    for point in _POINTS:
        await _armed(rig, driver, point)
    driver.seconds = time.monotonic() - driver.started_at
    return Outcome(driver, notes=[f"of {_BUDGET} requests used: {min(shares)} at least, {max(shares)} at most"])


async def _armed(rig: Rig, driver, point: str, tries: int = 4) -> None:
    """A race in which a node dies while it gives back what another asked for; it goes on after its restart."""
    for number in range(tries):
        key = await rig.make_key("wide", f"{point.replace('.', '-')}-{number}", ["--tokens", "30k/total"])
        rig.keys.append(key)
        victim = rig.nodes[number % len(rig.nodes)]
        await victim.kill()
        victim.start(failpoint=f"{point}:1")
        await victim.wait_ready()
        # Its requests use a quarter of what they reserve, so that it holds the rest; then all clients go to the others,
        # who want that back.
        await asyncio.gather(*(driver.once(victim, key, max_tokens=8) for _ in range(20)))
        await _race(rig, driver, key, mortal=victim)
        rig.count("races")
        if victim.is_running:
            continue
        if await victim.wait() == -signal.SIGKILL:
            rig.count("kills in a recall")
        victim.start()
        await victim.wait_ready()
        return
    rig.complain(f"failpoint {point} was not reached")


async def _race(rig: Rig, driver, key, mortal: Node | None = None) -> int:
    """Every client sends until it hears that the budget is gone for good; how many requests were answered.

    Nobody calls a `mortal` node; some of the budget dies with it until it is back, so less may be used.
    """
    nodes = [node for node in rig.nodes if node is not mortal]
    first_final: float | None = None
    last_success = time.monotonic()
    patience = 1.5 if mortal else 3.0
    answered = 0

    async def client(number: int) -> None:
        nonlocal first_final, last_success, answered
        while True:
            attempt = await driver.once(nodes[number % len(nodes)], key, max_tokens=8)
            if attempt.outcome == "finished":
                answered += 1
                last_success = time.monotonic()
            elif attempt.code == "insufficient_quota":
                first_final = first_final or time.monotonic()
                if answered >= _BUDGET and not mortal or time.monotonic() - last_success > patience:
                    return
                await asyncio.sleep(0.05)
            elif attempt.outcome == "refused" and attempt.status in (429, 503):
                if mortal and time.monotonic() - last_success > patience:
                    return
                await asyncio.sleep(0.05)
            else:
                rig.complain(f"{attempt.nonce}: {attempt.outcome}, {attempt.status} {attempt.code}")
                return

    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
    if answered > _BUDGET and not mortal:
        rig.complain(f"{key.name}: {answered} answers of a budget of {_BUDGET}")
    if mortal:
        return answered
    if answered < _BUDGET * 99 // 100:
        rig.complain(f"{key.name}: only {answered} of {_BUDGET} requests could be used")
    if first_final and last_success - first_final > _WRONG_REFUSAL_SECONDS:
        rig.complain(f"{key.name}: refused for good {last_success - first_final:.2f} s before the last was admitted")
    return answered


SCENARIOS = [Scenario("last-tokens", "R13: a race for the last of a budget over all nodes", run)]
