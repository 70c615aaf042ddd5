"""Two Postgres under Patroni, with etcd: a primary and a standby that takes over when the primary dies.

Everything is on loopback and belongs to a user without rights. The pair answers like one server to the rest of the
harness: its URL names both, and whoever connects gets the one that takes writes.
"""

import asyncio
import contextlib
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
import urllib.request

import psycopg

from .processes import free_ports

_BIN = os.environ.get("TURNPIKE_POSTGRES_BIN") or sorted(glob.glob("/usr/lib/postgresql/*/bin") or ["/usr/bin"])[-1]

#: Patroni as ledger.md 9 wants it for tests: quick to notice, and a killed primary is not waited for.
_TIMES = {"loop_wait": 1, "retry_timeout": 5, "ttl": 20, "primary_start_timeout": 0}

_PARAMETERS = {
    "max_connections": 200, "max_wal_senders": 6, "wal_keep_size": "256MB", "timezone": "UTC", "wal_log_hints": "on",
    # A killed process loses nothing of what it wrote; only a killed machine would.
    "fsync": "off", "checkpoint_timeout": "1h", "max_wal_size": "4GB",
    # A standby that stopped reading must not hold up the one that replaces it.
    "wal_sender_timeout": "5s", "wal_receiver_timeout": "5s", "synchronous_commit": "on",
}


def missing() -> str | None:
    """What this machine lacks for a pair; None when it has everything."""
    absent = [name for name in ("patroni", "etcd", "setpriv") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


class Member:
    """One of the two: a Patroni and the Postgres that it runs."""

    def __init__(self, name: str, folder: str, etcd_port: int, owner: list[str], synchronous: bool):
        self.name = name
        self.folder = folder
        self.port, self.rest_port = free_ports(2)
        self._owner = owner
        self.process: subprocess.Popen | None = None
        self._configuration = {
            "scope": "turnpike", "name": name, "log": {"level": "INFO"},
            "restapi": {"listen": f"127.0.0.1:{self.rest_port}", "connect_address": f"127.0.0.1:{self.rest_port}"},
            "etcd3": {"host": f"127.0.0.1:{etcd_port}"},
            "bootstrap": {
                "dcs": {
                    **_TIMES, "synchronous_mode": synchronous, "maximum_lag_on_failover": 64 << 20,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": _PARAMETERS},
                },
                "initdb": [{"encoding": "UTF8"}, "no-locale", "no-sync"],
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust",
                           "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": f"{folder}/data", "bin_dir": _BIN, "pgpass": f"{folder}/pgpass",
                "authentication": {"superuser": {"username": "turnpike"}, "replication": {"username": "replicator"}},
                "parameters": {"unix_socket_directories": folder},
            },
        }

    def start(self) -> None:
        """Starts Patroni, which starts Postgres."""
        # JSON is YAML.
        path = f"{self.folder}/patroni.yaml"
        with open(path, "w") as file:
            json.dump(self._configuration, file)
        os.chmod(path, 0o644)
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(
                [*self._owner, "setpriv", "--pdeathsig", "TERM", "patroni", path], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def connect(self, database: str = "postgres", **more) -> psycopg.Connection:
        """A connection to this very server."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="turnpike", dbname=database, autocommit=True, connect_timeout=2,
            application_name="crash harness", **more)

    def ask(self, question: str):
        """The first column of the first row, or None when it does not answer."""
        try:
            with self.connect(options="-c statement_timeout=2000") as connection:
                row = connection.execute(question).fetchone()
                return row[0] if row else None
        except psycopg.Error:
            return None

    @property
    def is_primary(self) -> bool:
        return self.ask("SELECT NOT pg_is_in_recovery()") is True

    def roles(self) -> dict[str, str]:
        """What Patroni says each member is; empty when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest_port}/cluster", timeout=2) as answer:
                return {each["name"]: each["role"] for each in json.load(answer)["members"]}
        except (OSError, ValueError, KeyError):
            return {}

    @property
    def postmaster(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"{self.folder}/data/postmaster.pid") as file:
                return int(file.read().split()[0])
        return None

    def kill_postgres(self) -> None:
        """`kill -9` of the server and of every process of it, at once. Patroni lives and sees it."""
        postmaster = self.postmaster
        if postmaster is not None:
            _kill_all([postmaster, *_children(postmaster)])

    async def kill_host(self) -> None:
        """`kill -9` of everything, as if the power went. Nobody gives the lock back; it has to run out."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)
        self.kill_postgres()
        await self._kill_patroni()

    async def _kill_patroni(self) -> None:
        if self.process is not None:
            _kill_all([*_children(self.process.pid), self.process.pid])
            await asyncio.to_thread(self.process.wait)
            self.process = None

    def walsenders(self) -> list[int]:
        """The processes that send this server's log to its standby."""
        return [pid for pid in _children(self.postmaster or 0) if "walsender" in _command(pid)]


class Pair:
    """Both members and their etcd. Has what the harness asks of a Postgres."""

    def __init__(self, folder: str, synchronous: bool):
        self.folder = folder
        self.synchronous = synchronous
        self.members: list[Member] = []
        self._etcd: subprocess.Popen | None = None
        account = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        # Postgres refuses to run as root, and Patroni should not.
        self._account = account
        self._owner = ["setpriv", "--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--init-groups"] \
            if account else []

    def url(self, database: str) -> str:
        """Both hosts, and the word to take the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        return f"postgres://turnpike@{hosts}/{database}?target_session_attrs=read-write"

    def connect(self, database: str, **more) -> psycopg.Connection:
        """A connection of the harness to the primary; it commits each statement."""
        return psycopg.connect(
            self.url(database), autocommit=True, application_name="crash harness", connect_timeout=3, **more)

    async def create(self, within: float = 90.0) -> None:
        """Makes and starts everything: about half a minute. Returns once the standby follows."""
        self._own(self.folder)
        etcd_port, peer_port = free_ports(2)
        self._own(f"{self.folder}/etcd")
        client, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
        with open(f"{self.folder}/etcd.log", "ab") as log:
            self._etcd = subprocess.Popen(
                [*self._owner, "setpriv", "--pdeathsig", "KILL", "etcd", "--name", "etcd", "--data-dir",
                 f"{self.folder}/etcd", "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                 f"etcd={peer}", "--unsafe-no-fsync"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        for name in ("a", "b"):
            folder = f"{self.folder}/{name}"
            self._own(folder)
            self.members.append(Member(name, folder, etcd_port, self._owner, self.synchronous))
        # One after the other, so that the second copies the first at once instead of waiting for it.
        self.members[0].start()
        await self.primary(within)
        self.members[1].start()
        await self.standby_follows(within)

    def _own(self, folder: str) -> None:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    async def primary(self, within: float = 60.0) -> Member:
        """The member that takes writes, once there is one."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for member in self.members:
                if await asyncio.to_thread(lambda member=member: member.is_primary):
                    return member
            await asyncio.sleep(0.05)
        raise RuntimeError(f"no primary within {within} s: {self._words()}")

    async def standby_follows(self, within: float = 90.0) -> None:
        """Waits until the standby streams and may take over.

        With synchronous replication Patroni must have noted its name in etcd, or it would let the primary restart.
        """
        state, role = ("sync", "sync_standby") if self.synchronous else ("async", "replica")
        question = f"""SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'
            AND application_name IN ('a', 'b') AND pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < 1000000"""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            primary = await self.primary(max(0.1, deadline - time.monotonic()))
            if await asyncio.to_thread(primary.ask, question) == 1 \
                    and await asyncio.to_thread(primary.roles) == {primary.name: "leader", self.other(primary).name: role}:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"no standby follows within {within} s: {self._words()}")

    def other(self, member: Member) -> Member:
        return next(each for each in self.members if each is not member)

    def _words(self) -> str:
        words = []
        for member in self.members:
            with contextlib.suppress(OSError), open(f"{member.folder}/log", errors="replace") as log:
                words.append(f"{member.name}: {log.read()[-1200:]}")
        return "\n".join(words)

    async def stop(self) -> None:
        """Ends everything and removes the folder."""
        for member in self.members:
            await member.kill_host()
        if self._etcd:
            self._etcd.kill()
            await asyncio.to_thread(self._etcd.wait)
        shutil.rmtree(self.folder, ignore_errors=True)


def _kill_all(victims: list[int]) -> None:
    for victim in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def _children(parent: int) -> list[int]:
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError), open(stat) as file:
            if int(file.read().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.split("/")[2]))
    return found


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
