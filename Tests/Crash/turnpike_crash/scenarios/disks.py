"""R11, live: the disk of a gateway's journal fills up."""

import asyncio
import os
import random
import subprocess

from ..rig import Rig
from ..scenario import Outcome, Scenario

#: Room for a journal with one or two segments of 16 MiB, and its table of progress.
_TMPFS_MEGABYTES = 36


async def run(rig: Rig) -> Outcome:
    await rig.make()
    dice = random.Random(rig.settings.seed)
    victim = rig.nodes[0]
    disk = f"{victim.folder}/disk"
    os.makedirs(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_MEGABYTES}m", "turnpike-crash", disk], check=True)
    try:
        victim.values["data"] = f"{disk}/data"
        victim.write()
        await rig.start()
        driver = rig.driver()
        driver.start()
        for _ in range(rig.settings.count(4)):
            await _fill_and_kill(rig, victim, disk, dice)
        await asyncio.sleep(1)
        await driver.stop()
        await rig.come_to_rest()
    finally:
        for node in rig.nodes:
            await node.end()
        rig.note_names()
        kept = f"{victim.folder}/data"
        subprocess.run(["cp", "-a", victim.data, kept], check=False)
        subprocess.run(["umount", disk], check=False)
    # The rest of the run finds its journal where there is room.
    victim.values.pop("data")
    victim.write()
    return Outcome(driver)


async def _fill_and_kill(rig: Rig, victim, disk: str, dice: random.Random) -> None:
    """Fills the disk, lets the gateway work on it, kills it there, and has it start with and without room."""
    await asyncio.sleep(dice.uniform(0.3, 0.8))
    filler = f"{disk}/filler"
    with open(filler, "wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(1 << 20))
        except OSError:
            rig.count("full disks")
    await asyncio.sleep(dice.uniform(0.3, 1.0))
    await victim.kill()
    rig.count("kills on a full disk")
    # Without room it starts on what is there, or refuses with words; it must not lose anything.
    victim.start()
    try:
        await victim.wait_ready(within=10)
        await asyncio.sleep(0.5)
        await victim.kill()
    except RuntimeError:
        if victim.is_running:
            await victim.kill()
            rig.complain(f"{victim.name} neither serves nor refuses to on a full disk")
        elif await victim.wait() != 1 or "No space left" not in victim.complaint:
            rig.complain(f"{victim.name} ended with {victim.process.returncode} on a full disk: {victim.complaint}")
        else:
            rig.count("refused starts")
    os.remove(filler)
    victim.start()
    await victim.wait_ready()


def _obstacle() -> str | None:
    return None if os.getuid() == 0 else "only root may mount a small disk"


SCENARIOS = [Scenario("full-disk", "R11: the journal's disk fills up", run, _obstacle)]
