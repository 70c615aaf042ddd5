"""R2: Postgres is killed, with every process of it, and started again."""

import asyncio
import random

from ..rig import Rig
from ..scenario import Outcome, Scenario


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    dice = random.Random(rig.settings.seed)
    driver = rig.driver()
    driver.start()
    postgres = rig.cluster.postgres
    for _ in range(rig.settings.count(10)):
        await asyncio.sleep(dice.uniform(0.8, 2.5))
        await postgres.kill()
        # Now and then it is away for longer than a request waits.
        await asyncio.sleep(dice.choice((0.0, 0.2, 1.6)))
        await postgres.start()
        rig.count("kills of Postgres")
    await asyncio.sleep(1.5)
    await driver.stop()
    return Outcome(driver)


SCENARIOS = [Scenario("kill-postgres", "R2: kill -9 of every process of Postgres", run)]
