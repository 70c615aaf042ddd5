"""O5, while the faults happen: in every snapshot of the ledger, no account is over its limit.

A thread with a connection of its own, so that neither the load nor a fault of the harness's other work delays it.
"""

import threading
import time

import psycopg

_SNAPSHOT = """
    SELECT count(*),
        coalesce(array_agg(format('account %s: %s of %s used', a.account_id, a.used + coalesce(l.held, 0), a.limit_units))
            FILTER (WHERE a.used + coalesce(l.held, 0) > a.limit_units), '{}'),
        coalesce(array_agg(format('account %s: granted %s, used %s, leases %s', a.account_id, a.granted, a.used, l.size))
            FILTER (WHERE a.granted <> a.used + coalesce(l.size, 0)), '{}')
    FROM account a LEFT JOIN (
        SELECT account_id, sum(settled + reserved) AS held, sum(granted) AS size FROM lease GROUP BY account_id) l
    USING (account_id)
"""


class Sampler:
    """Takes a snapshot every 50 ms until it is stopped. While Postgres is away there is nothing to see."""

    def __init__(self, connect):
        self._connect = connect
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.samples = 0
        self.over_limit: list[str] = []
        self.broken_identity: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._over.wait(0.05):
            try:
                connection = connection or self._connect()
                _, over, broken = connection.execute(_SNAPSHOT).fetchone()
            except psycopg.Error:
                if connection:
                    connection.close()
                connection = None
                continue
            self.samples += 1
            moment = f"at {time.time():.3f}: "
            self.over_limit += [moment + text for text in over]
            self.broken_identity += [moment + text for text in broken]
        if connection:
            connection.close()
