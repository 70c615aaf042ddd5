"""R3, R4 and R5: the primary dies, and its standby takes over."""

import asyncio
import os
import random
import signal
import threading
import time
from contextlib import suppress

import psycopg

from ..cluster import Member, Pair, missing
from ..rig import Cluster, Rig
from ..scenario import Outcome, Scenario

#: A failover takes seconds and is no reason to bury a node.
_FENCE_AFTER = "15s"
#: Until every node writes to the new primary; where the whole host dies, its lock must run out first.
_BACK_WITHIN, _HOST_BACK_WITHIN = 10.0, 35.0


class PlainWriter:
    """The control: it writes what anybody would write, and believes what it is told."""

    def __init__(self, pair: Pair):
        self._pair = pair
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plain writer", daemon=True)
        self.written: list[int] = []

    def start(self) -> None:
        with self._pair.connect("postgres") as connection:
            connection.execute("CREATE TABLE plain (n int8 PRIMARY KEY)")
        self._thread.start()

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        number = 0
        while not self._over.wait(0.005):
            number += 1
            try:
                connection = connection or self._pair.connect("postgres", options="-c statement_timeout=3000")
                connection.execute("INSERT INTO plain VALUES (%s)", [number])
                self.written.append(number)
            except psycopg.Error:
                if connection:
                    connection.close()
                connection = None

    def lost(self) -> int:
        """Stops; how many rows it was told were written and are not there."""
        self._over.set()
        self._thread.join()
        with self._pair.connect("postgres") as connection:
            there = {row[0] for row in connection.execute("SELECT n FROM plain")}
        return sum(number not in there for number in self.written)


async def _fail_over(rig: Rig, pair: Pair, synchronous: bool, dice: random.Random) -> float:
    """Kills the primary's server; seconds until every node writes to the other."""
    primary = await pair.primary()
    stopped: list[int] = []
    if not synchronous:
        # The standby lags, as it would on a busy network: what is written now is lost.
        stopped = primary.walsenders()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(dice.uniform(0.05, 0.4))
    primary.kill_postgres()
    rig.count("failovers")
    return await _back(rig, pair, primary, _BACK_WITHIN)


async def _lose_host(rig: Rig, pair: Pair) -> float:
    """Kills the primary's server and its Patroni: nobody gives the lock back."""
    primary = await pair.primary()
    await primary.kill_host()
    rig.count("database hosts lost")
    seconds = await _back(rig, pair, primary, _HOST_BACK_WITHIN)
    primary.start()
    return seconds


async def _back(rig: Rig, pair: Pair, dead: Member, within: float) -> float:
    """Waits until every running node has written to the new primary, and complains when that takes too long."""
    killed_at, started = time.time(), time.monotonic()
    heir = pair.other(dead)
    rig.note_names()
    numbers = [node.number for node in rig.nodes]
    query = "SELECT count(*) FROM node_lane WHERE node_id = ANY(%s) AND live AND heartbeat_at > to_timestamp(%s)"

    def written() -> int:
        with suppress(psycopg.Error), heir.connect(rig.database, options="-c statement_timeout=2000") as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                return 0
            return connection.execute(query, [numbers, killed_at]).fetchone()[0]
        return 0

    while await asyncio.to_thread(written) < len(numbers):
        if time.monotonic() - started > 60:
            rig.complain(f"not every node writes to {heir.name} 60 s after {dead.name} died")
            break
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - started
    if seconds > within:
        rig.complain(f"service was back {seconds:.1f} s after {dead.name} died, not within {within:g} s")
    return seconds


async def _run(rig: Rig, synchronous: bool, failovers: int, whole_host: bool) -> Outcome:
    if lack := missing():
        raise RuntimeError(lack)
    folder = f"{rig.cluster.folder}/{rig.name}-cluster"
    os.makedirs(folder)
    os.chmod(folder, 0o711)
    pair = Pair(f"{folder}/pair", synchronous)
    rig.at_end(pair.stop)
    await pair.create()
    await rig.use(Cluster(rig.settings.inside(folder), pair))
    await rig.make(fence_after=_FENCE_AFTER)
    await rig.start()
    writer = PlainWriter(pair)
    writer.start()
    dice = random.Random(rig.settings.seed)
    driver = rig.driver()
    driver.start()
    took: list[float] = []
    for _ in range(failovers):
        await pair.standby_follows()
        await asyncio.sleep(dice.uniform(1.0, 3.0))
        took.append(await (_lose_host(rig, pair) if whole_host else _fail_over(rig, pair, synchronous, dice)))
    await asyncio.sleep(3)
    await driver.stop()
    await pair.standby_follows()
    return Outcome(driver, notes=[
        f"all nodes wrote to the new primary after {', '.join(f'{each:.1f}' for each in took)} s",
        _control(rig, writer, synchronous), _refusals(driver)])


def _control(rig: Rig, writer: PlainWriter, synchronous: bool) -> str:
    lost = writer.lost()
    if synchronous and lost:
        rig.complain(f"{lost} commits that a synchronous standby had confirmed are gone")
    if not synchronous and not lost:
        rig.complain("the plain writer lost nothing, so this run proves nothing")
    return f"control: of {len(writer.written)} rows that a plain writer was told were written, {lost} are gone"


def _refusals(driver) -> str:
    refused = sum(attempt.status == 503 for attempt in driver.attempts)
    return f"{refused} of {len(driver.attempts)} requests got 503"


async def synchronous(rig: Rig) -> Outcome:
    return await _run(rig, True, rig.settings.count(2), False)


async def asynchronous(rig: Rig) -> Outcome:
    return await _run(rig, False, rig.settings.count(2), False)


async def host(rig: Rig) -> Outcome:
    return await _run(rig, True, rig.settings.count(1), True)


SCENARIOS = [
    Scenario("failover", "R3: the primary dies, its synchronous standby takes over", synchronous),
    Scenario("lossy-failover", "R4: the primary dies, and what its standby had not got is lost", asynchronous),
    Scenario("lost-database-host", "R5: the primary's whole host dies", host),
]
