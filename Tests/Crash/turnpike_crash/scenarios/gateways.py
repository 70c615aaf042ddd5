"""R1: gateways are killed, at random and at every failpoint, and started again at once."""

import asyncio
import random
import re
import signal
from pathlib import Path

from ..driver import Load
from ..node import Node
from ..rig import Rig
from ..scenario import Outcome, Scenario

_SOURCES = Path(__file__).resolve().parents[4] / "Sources"
#: Reached only by a node that buries another, or gives back what others want, or tries again elsewhere: played by
#: `lost-host`, `last-tokens` and `fallback`.
_ELSEWHERE = {"sweep", "recall", "retry"}


def failpoints() -> list[str]:
    """Every failpoint, read out of the sources, so that none is forgotten here."""
    found: set[str] = set()
    for file in _SOURCES.rglob("*.swift"):
        found |= set(re.findall(r'Failpoint\.pass\("([^"]+)"\)', file.read_text()))
    if not found:
        raise RuntimeError(f"no failpoint found under {_SOURCES}")
    return sorted(found)


class Lives:
    """Keeps one node alive and has it killed again and again, each time in another way."""

    def __init__(self, rig: Rig, node: Node, deaths: list[str], dice: random.Random):
        self.rig = rig
        self.node = node
        #: Shared by all nodes: names of failpoints, and `random`.
        self.deaths = deaths
        self.dice = dice

    async def run(self) -> None:
        while self.deaths:
            await self.die(self.deaths.pop())
        if not self.node.is_running:
            self.node.start()

    async def die(self, death: str, tries: int = 6) -> None:
        node = self.node
        if death == "random":
            if not node.is_running:
                node.start()
                await node.wait_ready()
            await asyncio.sleep(self.dice.uniform(0.0, 1.5))
            await node.kill()
            self.rig.count("random kills")
            # What a kill in the middle of a start leaves behind is another case.
            if self.dice.random() < 0.2:
                node.start()
                await asyncio.sleep(self.dice.uniform(0.0, 0.4))
                await node.kill()
                self.rig.count("random kills")
            node.start()
            return
        for _ in range(tries):
            # It must have something open to recover, or to end.
            if node.is_running:
                await asyncio.sleep(self.dice.uniform(0.2, 1.0))
                await node.kill()
            if await self._reach(death):
                self.rig.count("kills at failpoints")
                node.start()
                return
        self.rig.complain(f"failpoint {death} was not reached")

    async def _reach(self, death: str) -> bool:
        """Starts the node armed; whether the failpoint killed it."""
        node = self.node
        phase = death.partition(".")[0]
        # One client in ten leaves: twenty of them would take longer than there is.
        count = 1 if phase in ("start", "drain") else self.dice.randint(1, 3 if phase == "client-gone" else 20)
        node.start(failpoint=f"{death}:{count}")
        try:
            if phase == "drain":
                await node.wait_ready()
                await asyncio.sleep(0.4)
                node.signal(signal.SIGTERM)
            return await node.wait(within=8) == -signal.SIGKILL
        except RuntimeError as error:
            if node.is_running:
                await node.kill()
                return False
            if node.process.returncode == -signal.SIGKILL:
                return True
            self.rig.complain(str(error))
            return False


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    dice = random.Random(rig.settings.seed)
    deaths = ["random"] * rig.settings.count(63)
    points = [point for point in failpoints() if point.partition(".")[0] not in _ELSEWHERE]
    for _ in range(max(1, round(rig.settings.scale))):
        deaths += points
    dice.shuffle(deaths)
    driver = rig.driver(Load(leaving=0.1))
    driver.start()
    lives = [Lives(rig, node, deaths, random.Random(dice.random())) for node in rig.nodes]
    await asyncio.gather(*(life.run() for life in lives))
    await driver.stop()
    return Outcome(driver, notes=[f"{len(points)} failpoints"])


SCENARIOS = [Scenario("kill-gateway", "R1: kill -9 of gateways at random and at every failpoint", run)]
