"""R9: clients leave at a random byte, and the engine must hear of it."""

import asyncio

from .. import engine_log
from ..driver import Load
from ..rig import Rig
from ..scenario import Outcome, Scenario

#: From the client's leaving to the closed connection at the engine, at the 99th percentile.
WITHIN_SECONDS = 0.1


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    wanted = rig.settings.count(2000)
    driver = rig.driver(Load(leaving=0.7))
    driver.start()
    while sum(attempt.outcome == "left" for attempt in driver.attempts) < wanted:
        await asyncio.sleep(0.1)
    await driver.stop()
    # The engine's log may be a moment behind the last client.
    await asyncio.sleep(0.5)
    left = [attempt for attempt in driver.attempts if attempt.outcome == "left"]
    rig.count("clients gone", len(left))
    emissions = engine_log.read(rig.cluster.engine_log)
    delays = []
    for attempt in left:
        emission = emissions.get(attempt.nonce)
        if emission is None or (emission.end and emission.ended_at < attempt.left_at):
            # It was over at the engine, or had not begun.
            continue
        if not emission.end:
            rig.complain(f"{attempt.nonce}: the engine never heard that its client left")
        elif emission.end == "gone":
            delays.append(emission.ended_at - attempt.left_at)
    delays.sort()
    if not delays:
        rig.complain("no client left while the engine worked for it")
        return Outcome(driver)
    median, worst = delays[len(delays) // 2], delays[min(len(delays) - 1, len(delays) * 99 // 100)]
    if worst > WITHIN_SECONDS:
        rig.complain(f"the engine heard after {worst * 1000:.0f} ms (p99), which is over {WITHIN_SECONDS * 1000:.0f}")
    return Outcome(driver, notes=[
        f"engine cancelled: {len(delays)} calls, p50 {median * 1000:.1f} ms, p99 {worst * 1000:.1f} ms, "
        f"most {delays[-1] * 1000:.1f} ms"])


SCENARIOS = [Scenario("client-gone", "R9: clients leave at a random byte", run)]
