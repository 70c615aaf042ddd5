"""R6: a host is lost: its gateway is killed and its journal is gone. It comes back as another node."""

import asyncio
import random
import signal

from ..rig import Rig
from ..scenario import Outcome, Scenario

#: Where the node that buries another is killed itself.
_GRAVEDIGGERS = ("sweep.fenced", "sweep.settled", "sweep.lease-done")


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    dice = random.Random(rig.settings.seed)
    driver = rig.driver()
    driver.start()
    for number in range(rig.settings.count(20)):
        await asyncio.sleep(dice.uniform(0.4, 1.0))
        victim, digger, other = dice.sample(rig.nodes, 3)
        await rig.lose(victim)
        rig.count("lost hosts")
        if number % 2 == 0:
            await _kill_digger(rig, digger, other, _GRAVEDIGGERS[number // 2 % len(_GRAVEDIGGERS)])
        victim.start()
        await victim.wait_ready()
    # The last one is swept too, before the load ends.
    await asyncio.sleep(3)
    await driver.stop()
    return Outcome(driver, notes=[f"open on lost hosts: {sum(rig.lost.values())}"])


async def _kill_digger(rig: Rig, digger, other, point: str) -> None:
    """The only other node that could sweep is stopped, so that the armed one does, and dies of it."""
    await digger.kill()
    await other.kill()
    digger.start(failpoint=f"{point}:1")
    try:
        if await digger.wait(within=10) != -signal.SIGKILL:
            rig.complain(f"{digger.name} ended at {point} by itself: {digger.complaint}")
        else:
            rig.count("kills while sweeping")
    except RuntimeError:
        rig.complain(f"failpoint {point} was not reached")
        await digger.kill()
    digger.start()
    other.start()
    await asyncio.gather(digger.wait_ready(), other.wait_ready())


SCENARIOS = [Scenario("lost-host", "R6: hosts lost with their journals", run)]
