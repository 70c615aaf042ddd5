"""A private Postgres that can be killed whole."""

import asyncio
import glob
import os
import pwd
import shutil
import signal
import subprocess

import psycopg

from .processes import die_with_parent, must_run

_SETTINGS = {
    "max_connections": "200", "fsync": "off", "full_page_writes": "off", "timezone": "UTC",
    # A killed server's clients are gone too: nothing else may keep its port or its memory.
    "listen_addresses": "127.0.0.1",
}


class Postgres:
    """One server on a folder of its own, reached by its socket or by TCP."""

    def __init__(self, folder: str, port: int, settings: dict[str, str] | None = None):
        self.folder = folder
        self.port = port
        self.settings = {**_SETTINGS, **(settings or {})}
        self.bin = os.environ.get("TURNPIKE_POSTGRES_BIN") or sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        # Postgres refuses to run as root.
        self.owner = "postgres" if os.getuid() == 0 else None
        self.process: subprocess.Popen | None = None

    def url(self, database: str) -> str:
        """What a gateway's configuration calls `database`."""
        return f"postgres:///{database}?host={self.folder}&port={self.port}&user=turnpike"

    def tcp_url(self, database: str, port: int | None = None, host: str = "127.0.0.1") -> str:
        """The same over TCP, to this server or to something in front of it."""
        return f"postgres://turnpike@{host}:{port or self.port}/{database}"

    def connect(self, database: str, **more) -> psycopg.Connection:
        """A connection of the harness; it commits each statement.

        A machine whose processors are all taken may need seconds for it; a server that is killed refuses at once.
        """
        return psycopg.connect(
            host=self.folder, port=self.port, user="turnpike", dbname=database, autocommit=True,
            application_name="crash harness", connect_timeout=30, **more)

    async def create(self) -> None:
        """Makes the cluster and starts it."""
        os.makedirs(self.folder, exist_ok=True)
        if self.owner:
            account = pwd.getpwnam(self.owner)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        await must_run(
            *self._as_owner(), f"{self.bin}/initdb", "--pgdata", f"{self.folder}/data", "--username", "turnpike",
            "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions")
        await self.start()

    async def start(self, within: float = 30.0) -> None:
        """Starts the server and waits until it answers.

        After a kill the old server's memory and lock may be there for a moment, so the start is repeated.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while loop.time() < deadline:
            if self.process is None or self.process.poll() is not None:
                self._spawn()
            ready = subprocess.run(
                [f"{self.bin}/pg_isready", "--quiet", "--host", self.folder, "--port", str(self.port)])
            if ready.returncode == 0:
                return
            await asyncio.sleep(0.05)
        with open(f"{self.folder}/log", errors="replace") as log:
            raise RuntimeError(f"Postgres did not start: {log.read()[-2000:]}")

    def _spawn(self) -> None:
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(
                [*self._as_owner(), f"{self.bin}/postgres", "-D", f"{self.folder}/data", "-p", str(self.port),
                 "-k", self.folder, *options],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self._in_child)

    def _as_owner(self) -> list[str]:
        return ["setpriv", "--reuid", self.owner, "--regid", self.owner, "--init-groups"] if self.owner else []

    @staticmethod
    def _in_child() -> None:
        os.setpgid(0, 0)
        die_with_parent()

    async def kill(self) -> None:
        """`kill -9` of the server and every process of it, at once. Killing only the first would leave sessions."""
        if self.process is None:
            return
        victims = self._family(self.process.pid)
        for victim in victims:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None
        while any(os.path.exists(f"/proc/{victim}/exe") and not self._is_zombie(victim) for victim in victims):
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stops it as an operator would, and removes its folder."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(self.process.wait)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _family(pid: int) -> list[int]:
        found = [pid]
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(stat) as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(stat.split("/")[2]))
        return found

    @staticmethod
    def _is_zombie(pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            return True
