"""Controls: the books are falsified on purpose, one way after the other, and the oracles must say so.

A green table means something only because these are red. Each falsification is made in a transaction that is rolled
back, so that all of them judge one run; what none of them may do is to be called good.
"""

import asyncio
import copy
import dataclasses

import psycopg

from .. import books, oracles
from ..oracles import Evidence
from ..rig import Rig
from ..scenario import Outcome, Scenario, gather
from . import zombies

_ONE = "(SELECT request_id FROM usage WHERE basis = 1 AND end_state = 1 AND charged > 0 ORDER BY request_id LIMIT 1)"
_RAISE = f"UPDATE usage SET charged = charged + {{0}}, charges = ARRAY(SELECT c + {{0}} FROM unnest(charges) c) WHERE request_id = {_ONE}"

#: What is done to the ledger, and the oracles of which at least one must notice.
_FALSIFIED_LEDGER = {
    "a record is missing": (f"DELETE FROM usage WHERE request_id = {_ONE}", {"O3"}),
    "a record is there twice": (
        f"""INSERT INTO usage SELECT shard, day + 1, request_id, key_id, model_id, backend_id, price_version,
            prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, charged, overage,
            cost_nanousd, basis, end_state, account_ids, charges, node_id, admitted_at, settled_at, first_token_us,
            duration_us FROM usage WHERE request_id = {_ONE}""", {"O3"}),
    "a record of nobody's": (
        f"""INSERT INTO usage SELECT shard, day, gen_random_uuid(), key_id, model_id, backend_id, price_version,
            prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, charged, overage,
            cost_nanousd, basis, end_state, account_ids, charges, node_id, admitted_at, settled_at, first_token_us,
            duration_us FROM usage WHERE request_id = {_ONE}""", {"O3"}),
    "one token too few is charged": (_RAISE.format(-1), {"O1"}),
    "one token too many is charged": (_RAISE.format(1), {"O1"}),
    "a cost is wrong": (f"UPDATE usage SET cost_nanousd = cost_nanousd + 1 WHERE request_id = {_ONE}", {"O1"}),
    "an account used one unit less than was charged": (
        "UPDATE account SET used = used - 1, granted = granted - 1 WHERE used > 0", {"O4"}),
    "a unit was granted from nowhere": ("UPDATE account SET granted = granted + 1 WHERE cap > granted", {"O4"}),
    "the rollup lost a token": ("UPDATE usage_hour SET charged = charged - 1 WHERE charged > 0", {"O4"}),
    "a limit is passed": (
        "UPDATE account SET limit_units = used - 1, cap = granted WHERE used > 1", {"O5"}),
    "a request is still open": (
        f"""INSERT INTO reservation (shard, request_id, node_id, epoch, key_id, model_id, backend_id, price_version,
                prompt_bound, completion_bound, cost_bound_nanousd, lease_ids, account_ids, units, admitted_at)
            SELECT shard, gen_random_uuid(), node_id, gen_random_uuid(), key_id, model_id,
                backend_id, price_version, 1, 1, 0, '{{}}', '{{}}', '{{}}', admitted_at FROM usage
            WHERE request_id = {_ONE}""", {"O3"}),
    "a swept request was not corrected": (
        "DELETE FROM usage_adj WHERE request_id = (SELECT request_id FROM usage_adj LIMIT 1)", {"O6"}),
    "a request went over its bound": (f"UPDATE usage SET overage = 1 WHERE request_id = {_ONE}", {"O6"}),
}


def _unheard_tokens(evidence: Evidence) -> None:
    """A client got a token that the engine never said."""
    attempt = next(attempt for attempt in evidence.attempts if attempt.outcome == "finished")
    evidence.attempts[evidence.attempts.index(attempt)] = dataclasses.replace(attempt, text=attempt.text + "xyz ")


def _other_text(evidence: Evidence) -> None:
    """A client got a piece of another's answer."""
    attempt = next(attempt for attempt in evidence.attempts if attempt.tokens > 2)
    evidence.attempts[evidence.attempts.index(attempt)] = dataclasses.replace(
        attempt, text=attempt.text[:4] * attempt.tokens)


def _more_delivered(evidence: Evidence) -> None:
    """A client that was cut off got everything, and only a part was charged."""
    for index, attempt in enumerate(evidence.attempts):
        if attempt.outcome in ("cut", "error") and attempt.tokens:
            evidence.attempts[index] = dataclasses.replace(attempt, text=attempt.text + "xyz " * 50)
            return


def _forgotten_death(evidence: Evidence) -> None:
    """A node that never came back had a request open which nobody swept."""
    evidence.lost[1] = 1


#: What is done to the other two witnesses.
_FALSIFIED_WITNESSES = {
    "a token from nowhere": (_unheard_tokens, {"O1", "O2"}),
    "another's text": (_other_text, {"O1"}),
    "delivered and not charged": (_more_delivered, {"O2"}),
    "a death without a sweep": (_forgotten_death, {"O6"}),
}


async def run(rig: Rig) -> Outcome:
    # A short run of zombies, so that there is something of every kind in the books.
    outcome = await zombies.run(rig, stops=2)
    await rig.come_to_rest()
    evidence = await gather(rig, outcome.driver.attempts)
    honest = oracles.judge(evidence)
    if not honest.is_good:
        rig.complain(f"the books were wrong before they were falsified: {honest.violations}")
    with rig.connect() as connection:
        for name, (sql, expected) in _FALSIFIED_LEDGER.items():
            falsified = dataclasses.replace(evidence, books=_falsified(connection, name, sql))
            _expect(rig, name, oracles.judge(falsified), expected)
    for name, (falsify, expected) in _FALSIFIED_WITNESSES.items():
        falsified = copy.copy(evidence)
        falsified.attempts, falsified.lost = list(evidence.attempts), dict(evidence.lost)
        falsify(falsified)
        _expect(rig, name, oracles.judge(falsified), expected)
    await _sample_over_limit(rig)
    return outcome


def _falsified(connection: psycopg.Connection, name: str, sql: str) -> books.Books:
    with connection.transaction(force_rollback=True):
        if connection.execute(sql).rowcount < 1:
            raise RuntimeError(f"control \"{name}\" found nothing to falsify")
        return books.read_within(connection)


def _expect(rig: Rig, name: str, verdict: oracles.Verdict, expected: set[str]) -> None:
    rig.count("falsifications")
    noticed = {oracle for oracle, texts in verdict.violations.items() if texts}
    if not noticed & expected:
        rig.complain(f"control \"{name}\": {noticed or 'nothing'} noticed it, and not {expected}")


async def _sample_over_limit(rig: Rig) -> None:
    """The sampler must see an account that is over its limit for no longer than two of its pauses, as must the audit
    see a record that is gone."""
    with rig.connect() as connection:
        account, limit = connection.execute(
            "SELECT account_id, limit_units FROM account WHERE used > 1 ORDER BY account_id LIMIT 1").fetchone()
        sampler = rig.new_sampler()
        connection.execute("UPDATE account SET limit_units = used - 1 WHERE account_id = %s", [account])
        await asyncio.sleep(0.12)
        connection.execute("UPDATE account SET limit_units = %s WHERE account_id = %s", [limit, account])
        await asyncio.sleep(0.1)
        sampler.stop()
        rig.count("falsifications")
        if not sampler.over_limit:
            rig.complain("control: the sampler did not see an account over its limit")
        connection.execute(f"UPDATE usage SET charged = charged + 1 WHERE request_id = {_ONE}")
        status, said = await rig.audit()
        connection.execute(f"UPDATE usage SET charged = charged - 1 WHERE request_id = {_ONE}")
        rig.count("falsifications")
        if status != 4:
            rig.complain(f"control: the audit ended with {status} on a falsified record: {said[:300]}")


SCENARIOS = [Scenario("controls", "falsified books, which the oracles must notice", run)]
