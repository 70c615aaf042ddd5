"""R15: every gateway is restarted in turn under load, as an upgrade does it."""

import asyncio

from .. import engine_log
from ..rig import Rig
from ..scenario import Outcome, Scenario


async def run(rig: Rig) -> Outcome:
    await rig.make()
    await rig.start()
    driver = rig.driver()
    driver.start()
    for number in range(rig.settings.count(5)):
        await asyncio.sleep(0.8)
        node = rig.nodes[number % len(rig.nodes)]
        # No balancer takes the node out first: its clients see 503, or nobody listening, and nothing else.
        status = await node.terminate()
        if status != 0:
            rig.complain(f"{node.name} stopped with {status}: {node.complaint}")
        with rig.connect() as connection:
            leases, live = connection.execute("""
                SELECT (SELECT count(*) FROM lease WHERE node_id = %s),
                    (SELECT count(*) FROM node_lane WHERE node_id = %s AND live)""", [node.number] * 2).fetchone()
        if leases or live:
            rig.complain(f"{node.name} left {leases} leases and {live} live lanes behind")
        node.start()
        await node.wait_ready()
        rig.count("restarts")
    await asyncio.sleep(0.5)
    await driver.stop()
    with rig.connect() as connection:
        swept = connection.execute("SELECT count(*) FROM usage WHERE basis = 4").fetchone()[0]
    if swept:
        rig.complain(f"{swept} requests were swept")
    emissions = engine_log.read(rig.cluster.engine_log)
    resets = 0
    for attempt in driver.attempts:
        if attempt.outcome == "cut" and attempt.status is None and attempt.nonce not in emissions:
            # Nobody had taken its connection yet when the listener closed, and no engine heard of it: the client may
            # simply try another node, which a balancer does for it.
            resets += 1
            continue
        draining = attempt.outcome == "refused" and attempt.status in (429, 503)
        planned = attempt.status == 502 or attempt.outcome == "error"
        if attempt.outcome not in ("finished", "unconnected") and not draining and not planned:
            rig.complain(f"{attempt.nonce} on {attempt.node}: {attempt.outcome}, {attempt.status} {attempt.code}")
    return Outcome(driver, notes=[f"{resets} connections reset by a closing listener"])


SCENARIOS = [Scenario("rolling-restart", "R15: restarts by SIGTERM under load", run)]
