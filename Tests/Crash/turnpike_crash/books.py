"""The ledger's tables after a run, as plain values."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

TOKENS, REQUESTS, COST = 1, 2, 3
REPORTED, COUNTED, RECOVERED, SWEPT, VOID, LATE = range(1, 7)
BASES = {1: "reported", 2: "counted", 3: "recovered", 4: "swept", 5: "void", 6: "late"}

_USAGE = """
    SELECT u.request_id, k.name, u.node_id, u.prompt_tokens, u.completion_tokens, u.charged, u.overage,
        u.cost_nanousd, u.basis, u.end_state, extract(epoch FROM u.admitted_at)::float8, u.account_ids, u.charges,
        (SELECT coalesce(array_agg(j.account_id), '{}') FROM usage_adj j
            WHERE j.shard = u.shard AND j.day = u.day AND j.request_id = u.request_id),
        (SELECT coalesce(array_agg(j.delta), '{}') FROM usage_adj j
            WHERE j.shard = u.shard AND j.day = u.day AND j.request_id = u.request_id),
        (SELECT b.name FROM backend b WHERE b.shard = u.shard AND b.backend_id = u.backend_id), u.duration_us
    FROM usage u JOIN api_key k ON k.shard = u.shard AND k.key_id = u.key_id
    ORDER BY u.admitted_at
"""

_TRIES = """
    SELECT a.request_id, b.name, a.outcome FROM request_attempt a
    LEFT JOIN backend b ON b.shard = a.shard AND b.backend_id = a.backend_id
    ORDER BY a.request_id, a.number
"""

_ACCOUNTS = """
    SELECT a.account_id, a.resource, a.limit_units, a.granted, a.used,
        coalesce((SELECT sum(l.granted) FROM lease l WHERE l.shard = a.shard AND l.account_id = a.account_id), 0)::int8,
        coalesce((SELECT sum(l.settled) FROM lease l WHERE l.shard = a.shard AND l.account_id = a.account_id), 0)::int8,
        CASE a.subject_kind
            WHEN 1 THEN 'organization'
            WHEN 2 THEN (SELECT 'team ' || t.name FROM team t WHERE t.shard = a.shard AND t.team_id = a.subject_id)
            ELSE (SELECT 'key ' || k.name FROM api_key k WHERE k.shard = a.shard AND k.subject_id = a.subject_id)
        END
    FROM account a
"""

_LEASES = """
    SELECT l.node_id, l.reserved, format('lease %s on account %s (resource %s): granted %s, reserved %s, settled %s; node %s is %s, this epoch: %s',
        l.lease_id, l.account_id, a.resource, l.granted, l.reserved, l.settled, l.node_id,
        CASE WHEN n.live THEN 'live' ELSE 'not live' END, n.epoch = l.epoch)
    FROM lease l LEFT JOIN node_lane n ON n.shard = l.shard AND n.node_id = l.node_id
    LEFT JOIN account a ON a.shard = l.shard AND a.account_id = l.account_id
"""


@dataclass
class Usage:
    """One usage record with its corrections."""

    request_id: str
    key: str
    node: int
    prompt: int
    completion: int
    charged: int
    overage: int
    cost: int
    basis: int
    end_state: int
    admitted_at: float
    accounts: list[int]
    charges: list[int]
    adjusted: list[int]
    deltas: list[int]
    backend: str
    #: Microseconds from admission to the end; 0 of one whose end nobody saw.
    duration: int
    #: What the token accounts were charged in the end; None when the request has none.
    tokens: int | None = None


@dataclass
class Account:
    account_id: int
    resource: int
    limit: int
    granted: int
    used: int
    leased: int
    settled: int
    subject: str


@dataclass
class Books:
    """Everything the oracles look at."""

    usage: list[Usage]
    accounts: dict[int, Account]
    reservations: int
    #: Each lease that is left: its node, what is reserved of it, and all of it in words.
    leases: list[tuple[int, int, str]]
    live_lanes: int
    default_partition: int
    adjustments: int
    #: Per account: the charges of its records and the corrections.
    charged: dict[int, int]
    corrected: dict[int, int]
    #: Where each request was tried and what came of it, in order; only where the first did not answer.
    tries: dict[str, list[tuple[str, int]]]
    #: Charged tokens by the rollup, and by the records.
    rolled_up: int
    recorded: int


def read(connection: psycopg.Connection) -> Books:
    """Reads everything, in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return read_within(connection)


def read_within(connection: psycopg.Connection) -> Books:
    """Reads everything as the connection's open transaction sees it."""
    def number(query: str) -> int:
        return int(connection.execute(query).fetchone()[0] or 0)

    accounts = {row[0]: Account(*row) for row in connection.execute(_ACCOUNTS)}
    usage = [_record(row, accounts) for row in connection.execute(_USAGE)]
    tries: dict[str, list[tuple[str, int]]] = {}
    for request_id, backend, outcome in connection.execute(_TRIES):
        tries.setdefault(str(request_id), []).append((backend, outcome))
    pairs = "SELECT z.a, sum(z.c)::int8 FROM usage u, unnest(u.account_ids, u.charges) AS z(a, c) GROUP BY z.a"
    return Books(
        usage=usage, accounts=accounts,
        reservations=number("SELECT count(*) FROM reservation"),
        leases=connection.execute(_LEASES).fetchall(),
        live_lanes=number("SELECT count(*) FROM node_lane WHERE live"),
        default_partition=number("SELECT count(*) FROM usage_default"),
        adjustments=number("SELECT count(*) FROM usage_adj"),
        charged=dict(connection.execute(pairs).fetchall()),
        corrected=dict(connection.execute(
            "SELECT account_id, sum(delta)::int8 FROM usage_adj GROUP BY account_id").fetchall()),
        tries=tries,
        rolled_up=number("SELECT sum(charged) FROM usage_hour"),
        recorded=number("SELECT sum(charged) FROM usage"))


def _record(row: tuple, accounts: dict[int, Account]) -> Usage:
    request_id: UUID = row[0]
    usage = Usage(str(request_id), *row[1:])
    corrections = dict(zip(usage.adjusted, usage.deltas))
    tokens = {
        charge + corrections.get(account, 0)
        for account, charge in zip(usage.accounts, usage.charges)
        if account in accounts and accounts[account].resource == TOKENS
    }
    # All token accounts of a request are charged alike; where they are not, the largest shows up as a wrong charge.
    usage.tokens = max(tokens) if tokens else None
    return usage
