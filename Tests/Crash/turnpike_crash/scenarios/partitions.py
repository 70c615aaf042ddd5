"""R8: the network between a node and Postgres is cut: both ways, each way alone, on and off."""

import asyncio
import os
import random

from ..partition import DIRECTIONS, NamespaceWires, ProxyWires, Wires, lead, namespaces_work
from ..rig import Cluster, Rig
from ..scenario import Outcome, Scenario

#: How long a cut lasts: less than a call waits, longer than a request waits, longer than a node is waited for (2 s), so
#: that it is swept and comes back with its journal.
_LENGTHS = (0.3, 1.2, 3.0, 6.0)
#: The connections of a gateway: two each for batches, grants and idempotency, four for keys, one for events.
_SESSIONS_EACH = 11


async def run(rig: Rig) -> Outcome:
    wires = await _wires(rig)
    await rig.make()
    lead(wires, rig.nodes, rig.database)
    await rig.start()
    dice = random.Random(rig.settings.seed)
    driver = rig.driver()
    driver.start()
    for number in range(rig.settings.count(30)):
        await asyncio.sleep(dice.uniform(0.3, 1.0))
        kind = (*DIRECTIONS, "flapping")[number % 4]
        # Now and then everybody at once: then nobody is there to sweep.
        victims = range(len(rig.nodes)) if number % 5 == 4 else [dice.randrange(len(rig.nodes))]
        length = dice.choice(_LENGTHS)
        if kind == "flapping":
            await _flap(wires, victims, length, dice)
        else:
            for victim in victims:
                await wires.cut(victim, kind)
            await asyncio.sleep(length)
        for victim in victims:
            await wires.heal(victim)
        rig.count(f"cuts, {kind}")
    await asyncio.sleep(3)
    await driver.stop()
    await _no_session_left_behind(rig)
    return Outcome(driver, notes=[f"cut by {type(wires).__name__}"])


async def _no_session_left_behind(rig: Rig) -> None:
    """Complains unless Postgres soon serves no more sessions than the gateways have: of those that a cut left half open
    it must have found out by itself, or it would refuse everybody in the end."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'turnpike%'"
    most = _SESSIONS_EACH * len(rig.nodes)
    with rig.connect() as connection:
        for _ in range(60):
            count = connection.execute(query).fetchone()[0]
            if count <= most:
                return
            await asyncio.sleep(0.5)
    rig.complain(f"Postgres still has {count} sessions of {len(rig.nodes)} gateways")


async def _flap(wires: Wires, victims, length: float, dice: random.Random) -> None:
    """The network comes and goes, each time in another direction."""
    loop = asyncio.get_running_loop()
    until = loop.time() + length
    while loop.time() < until:
        for victim in victims:
            await wires.cut(victim, dice.choice(DIRECTIONS))
        await asyncio.sleep(dice.uniform(0.02, 0.3))
        for victim in victims:
            await wires.heal(victim)
        await asyncio.sleep(dice.uniform(0.02, 0.3))


async def _wires(rig: Rig) -> Wires:
    if not namespaces_work():
        wires = ProxyWires(rig.cluster.postgres, 3)
        await wires.open()
        rig.at_end(wires.close)
        return wires
    folder = f"{rig.cluster.folder}/{rig.name}-cluster"
    os.makedirs(folder)
    wires = NamespaceWires(f"{folder}/pg", 3)
    rig.at_end(wires.close)
    await wires.open()
    await rig.use(Cluster(rig.settings.inside(folder), wires.postgres))
    return wires


SCENARIOS = [Scenario("partition", "R8: a node and Postgres do not hear each other", run)]
