"""R10: the first of two engines fails often, in every way there is before an answer, while gateways are killed.

The other answers then; of a part of the requests a copy goes to a third, whose answers are nobody's.
"""

import asyncio
import copy
import dataclasses
import random

from .. import books, oracles, routes
from ..driver import Load
from ..oracles import Evidence
from ..rig import Rig
from ..scenario import Outcome, Scenario, gather
from .gateways import Lives

#: Where a gateway is killed beside the random moments: around each call, and each record of it.
_POINTS = ("retry", "dispatch", "accepted", "upstream-began", "after-journal-close", "before-done", "client-gone")

_BACKEND = """\
  {name}:
    kind: openai
    base_url: http://127.0.0.1:{port}/v1
    allow_private_addresses: true
    timeouts: {{ first_byte: 700ms }}
"""

#: Every failure may be tried again, so that most are; the breaker opens now and then, and closes soon.
_ROUTING = (
    "{ attempts: 3, backoff: 10ms, longest_backoff: 50ms, retry_percent: 100, retry_floor: 1000, "
    "shadow_api_key_env: TURNPIKE_SHADOW_KEY, shadow_calls: 16, "
    "breaker: { consecutive_failures: 8, minimum_calls: 100000, open_time: 200ms, longest_open_time: 500ms } }")


async def run(rig: Rig) -> Outcome:
    await _make(rig)
    await rig.start()
    dice = random.Random(rig.settings.seed)
    deaths = ["random"] * rig.settings.count(9) + [*_POINTS] * max(1, round(rig.settings.scale))
    dice.shuffle(deaths)
    driver = rig.driver(Load(rate=100, clients=30, leaving=0.1))
    driver.start()
    lives = [Lives(rig, node, deaths, random.Random(dice.random())) for node in rig.nodes]
    await asyncio.gather(*(life.run() for life in lives))
    # Some more with everybody alive.
    await asyncio.sleep(rig.settings.count(5))
    await driver.stop()
    await rig.come_to_rest()
    evidence = await gather(rig, driver.attempts)
    notes = _figures(rig, evidence)
    _falsify(rig, evidence)
    return Outcome(driver, notes=[notes])


async def _make(rig: Rig) -> None:
    """Three engines, and gateways which know them and who pays for copies."""
    cluster = rig.cluster
    logs = {name: f"{cluster.folder}/{rig.name}-{name}.log" for name in (routes.FRAIL, routes.COPY)}
    backends = ""
    for name, log in logs.items():
        engine, port = cluster.start_engine(log, "--frail")
        backends += _BACKEND.format(name=name, port=port)

        async def stop(engine=engine) -> None:
            engine.terminate()
            await asyncio.to_thread(engine.wait)

        rig.at_end(stop)
    await rig.make(
        more_backends=backends, routing=_ROUTING, route=f"[{routes.FRAIL}, {routes.FIRM}]",
        more_model=f"    shadow: {{ backend: {routes.COPY}, percent: 30 }}\n")
    office = rig.nodes[0]
    await cluster.administer(office, "team", "create", "operators")
    payer = await rig.make_key("operators", "copies", ["--tokens", "50M/day"])
    for node in rig.nodes:
        node.environment["TURNPIKE_SHADOW_KEY"] = payer.secret
    rig.routes = routes.Routes({**logs, routes.FIRM: cluster.engine_log}, payer.name)


def _figures(rig: Rig, evidence: Evidence) -> str:
    """What happened; complains where nothing did, for then nothing was shown."""
    tries = evidence.books.tries.values()
    fallbacks = sum(len(each) > 1 and each[-1][1] == routes.ANSWERED for each in tries)
    copies = sum(record.key == evidence.routes.payer for record in evidence.books.usage)
    failures = sum(outcome not in (routes.ANSWERED, routes.CANCELLED) for each in tries for _, outcome in each)
    outcomes = {outcome for each in tries for _, outcome in each}
    if fallbacks < 50 or copies < 50 or len(outcomes) < 4:
        rig.complain(f"too little happened: {fallbacks} fallbacks, {copies} copies, outcomes {outcomes}")
    return f"{failures} failed tries, {fallbacks} answered elsewhere, {copies} copies"


_TRIED = "(SELECT request_id FROM request_attempt WHERE outcome = 1 AND number = 2 ORDER BY request_id LIMIT 1)"

#: What is done to the books, which O7 must notice each time.
_FALSIFIED = {
    "a try is missing": f"DELETE FROM request_attempt WHERE number = 1 AND request_id = {_TRIED}",
    "a try too many": f"""INSERT INTO request_attempt SELECT shard, day, request_id, 9, backend_id, 2, status,
        begun_after_us, duration_us, prompt_tokens, completion_tokens FROM request_attempt
        WHERE number = 1 AND request_id = {_TRIED}""",
    "another is paid": f"""UPDATE usage u SET backend_id = (SELECT backend_id FROM backend WHERE name = 'frail' LIMIT 1)
        WHERE request_id = {_TRIED}""",
    "a client pays for a copy": f"""UPDATE usage SET key_id = (SELECT key_id FROM usage WHERE request_id = {_TRIED})
        WHERE request_id = (SELECT request_id FROM usage u JOIN api_key k USING (shard, key_id)
            WHERE k.name = 'copies' AND u.basis = 1 LIMIT 1)""",
    "a copy has no record": """DELETE FROM usage u USING api_key k
        WHERE k.shard = u.shard AND k.key_id = u.key_id AND k.name = 'copies'""",
    "a copy is charged too much": """UPDATE usage SET completion_tokens = completion_tokens + 1000 WHERE request_id =
        (SELECT request_id FROM usage u JOIN api_key k USING (shard, key_id)
            WHERE k.name = 'copies' AND u.basis = 1 LIMIT 1)""",
}


def _falsify(rig: Rig, evidence: Evidence) -> None:
    """A green row means something only because these are red."""
    honest = oracles.judge(evidence)
    with rig.connect() as connection:
        for name, sql in _FALSIFIED.items():
            with connection.transaction(force_rollback=True):
                if connection.execute(sql).rowcount < 1:
                    raise RuntimeError(f"control \"{name}\" found nothing to falsify")
                falsified = dataclasses.replace(evidence, books=books.read_within(connection))
            _expect(rig, name, honest, falsified)
    unheard = copy.deepcopy(evidence)
    nonce = next(
        attempt.nonce for attempt in evidence.attempts
        if attempt.outcome == "finished" and attempt.nonce in unheard.routes.emissions[routes.FIRM])
    unheard.routes.emissions[routes.FIRM][nonce].calls += 1
    _expect(rig, "a call that no try stands for", honest, unheard)


def _expect(rig: Rig, name: str, honest: oracles.Verdict, falsified: Evidence) -> None:
    rig.count("falsifications")
    if len(oracles.judge(falsified).violations["O7"]) <= len(honest.violations["O7"]):
        rig.complain(f"control \"{name}\": O7 did not notice it")


SCENARIOS = [Scenario("fallback", "R10: engines that fail before they answer, while gateways are killed", run)]
