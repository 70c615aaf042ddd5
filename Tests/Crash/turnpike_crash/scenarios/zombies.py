"""R7: a gateway is stopped for longer than the fence, and goes on afterwards as if nothing had been."""

import asyncio
import random
import signal

from ..node import Node
from ..rig import Rig
from ..scenario import Outcome, Scenario


async def run(rig: Rig, stops: int | None = None) -> Outcome:
    await rig.make()
    await rig.start()
    dice = random.Random(rig.settings.seed)
    driver = rig.driver()
    driver.start()
    for number in range(stops or rig.settings.count(30)):
        await asyncio.sleep(dice.uniform(0.5, 1.5))
        node = dice.choice(rig.nodes)
        # Some just before the fence, some beyond it; long ones in long runs.
        seconds = 2.6 if stops else dice.choice((1.7, 2.4, 3.2) if rig.settings.scale <= 2 else (1.7, 2.4, 3.2, 8.0, 20.0))
        await _pause(node, seconds)
        rig.count("stops")
        if number % 3 == 2:
            # Killed right after it woke, before or while it finds out.
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            await node.kill()
            rig.count("kills of zombies")
            node.start()
    await asyncio.sleep(2)
    await driver.stop()
    return Outcome(driver)


async def _pause(node: Node, seconds: float) -> None:
    node.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    node.signal(signal.SIGCONT)


SCENARIOS = [Scenario("zombie", "R7: gateways stopped past the fence", run)]
