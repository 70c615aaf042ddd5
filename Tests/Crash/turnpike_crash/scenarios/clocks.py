"""R12: a host's wall clock is wrong, and jumps."""

import asyncio
import os
import random
import struct
from pathlib import Path

from ..processes import must_run
from ..rig import Rig
from ..scenario import Outcome, Scenario

_SHIM = Path(__file__).resolve().parents[2] / "wrong_clock.c"
_DAY, _HOUR = 86_400, 3_600
_JUMPS = (_DAY, -_DAY, _HOUR, -_HOUR, 1, -1, 40 * _DAY)

_STRANGE_DAYS = """
    SELECT count(*) FROM usage
    WHERE abs(extract(epoch FROM settled_at - admitted_at)) > 60 OR day <> (admitted_at AT TIME ZONE 'UTC')::date
"""
_STRANGE_PERIODS = """
    SELECT count(*) FROM account
    WHERE period = 1 AND period_start NOT BETWEEN ((now() - interval '10 min') AT TIME ZONE 'UTC')::date
            AND (now() AT TIME ZONE 'UTC')::date
        OR period = 2 AND period_start <> date_trunc('month', now() AT TIME ZONE 'UTC')::date
"""


async def run(rig: Rig) -> Outcome:
    await rig.make()
    dice = random.Random(rig.settings.seed)
    victim = rig.nodes[0]
    library = f"{victim.folder}/wrong_clock.so"
    await must_run("cc", "-shared", "-fPIC", "-O2", "-o", library, str(_SHIM))
    clock = f"{victim.folder}/wrong_clock"
    victim.environment = {"LD_PRELOAD": library, "WRONG_CLOCK_FILE": clock}
    _set(clock, _DAY)
    await rig.start()
    driver = rig.driver()
    driver.start()
    for number in range(rig.settings.count(50)):
        await asyncio.sleep(dice.uniform(0.3, 0.7))
        _set(clock, dice.choice(_JUMPS))
        rig.count("clock jumps")
        if number % 4 == 3:
            await victim.kill()
            rig.count("kills with a wrong clock")
            victim.start()
            await victim.wait_ready()
    await driver.stop()
    with rig.connect() as connection:
        strange, = connection.execute(_STRANGE_DAYS).fetchone()
        periods, = connection.execute(_STRANGE_PERIODS).fetchone()
    if strange:
        rig.complain(f"{strange} records are not of the ledger's time")
    if periods:
        rig.complain(f"{periods} accounts are of a period that is not the ledger's")
    served = sum(attempt.node == victim.name and attempt.outcome == "finished" for attempt in driver.attempts)
    return Outcome(driver, notes=[f"{served} answers by the node with the wrong clock"])


def _set(clock: str, seconds: int) -> None:
    """In place, since the process has the file mapped."""
    file = os.open(clock, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, struct.pack("=q", seconds))
    os.close(file)


SCENARIOS = [Scenario("clock", "R12: a host's wall clock jumps by up to a day and more", run)]
