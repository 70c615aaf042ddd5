"""Everything a scenario runs on: one Postgres, one engine, several gateways, keys with limits."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from .driver import Driver, Key, Load
from .node import Node
from .postgres import Postgres
from .processes import die_with_parent, free_ports, must_run, run
from .routes import Routes
from .sampler import Sampler

_TEMPLATE = "turnpike_template"


@dataclass(frozen=True)
class Settings:
    """What the harness was asked for."""

    program: str
    #: How many faults, as a multiple of the short run's.
    scale: float
    seed: int
    #: Where everything is; removed at the end.
    folder: str

    def count(self, short: int) -> int:
        """`short` faults in the short run, more in a longer one."""
        return max(1, round(short * self.scale))

    def inside(self, folder: str) -> "Settings":
        """The same, in another folder."""
        return replace(self, folder=folder)


#: Keys of the template, by team: name and quotas. The tight ones run out while a scenario goes on.
TEAMS = {
    "wide": (["--tokens", "200M/month"], {
        "wide-0": ["--tokens", "50M/day", "--requests", "5M/day"],
        "wide-1": ["--tokens", "50M/day", "--cost", "1000usd/month"],
        "wide-2": ["--tokens", "50M/total"],
        "wide-3": ["--tokens", "50M/day"],
    }),
    "tight": (["--tokens", "90k/day"], {
        "tight-0": ["--tokens", "30k/day"],
        "tight-1": ["--tokens", "50k/total"],
        "tight-2": ["--tokens", "50M/day", "--requests", "120/total"],
    }),
}


class Cluster:
    """One Postgres with a migrated database full of keys, which every scenario gets a copy of; and the engine."""

    def __init__(self, settings: Settings, postgres: Postgres | None = None):
        self.settings = settings
        self.postgres = postgres
        self.keys: list[Key] = []
        self.engine_port = 0
        self._engine: subprocess.Popen | None = None
        self._copies = 0

    @property
    def folder(self) -> str:
        return self.settings.folder

    @property
    def engine_log(self) -> str:
        return f"{self.folder}/engine.log"

    @property
    def pepper(self) -> str:
        return f"{self.folder}/pepper"

    async def start(self) -> None:
        """Starts Postgres (unless one was given) and the engine, and makes the template."""
        with open(os.open(self.pepper, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
        if self.postgres is None:
            self.postgres = Postgres(f"{self.folder}/pg", free_ports(1)[0])
            await self.postgres.create()
        self._start_engine()
        with self.postgres.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        office = self.node("office", _TEMPLATE, f"{self.folder}/office", free_ports(2))
        await must_run(self.settings.program, "migrate", "--config", office.configuration)
        for team, (quotas, keys) in TEAMS.items():
            await self.administer(office, "team", "create", team)
            await self.administer(office, "quota", "set", "--team", team, *quotas)
            for name, limits in keys.items():
                self.keys.append(await self.make_key(office, team, name, limits))

    def _start_engine(self) -> None:
        self._engine, self.engine_port = self.start_engine(self.engine_log)

    def start_engine(self, log: str, *words: str) -> tuple[subprocess.Popen, int]:
        """An engine that logs to `log`, and its port."""
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        engine = subprocess.Popen(
            [sys.executable, "-m", "turnpike_crash.engine", "--log", log, *words], cwd=package,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        return engine, int(engine.stdout.readline())

    def node(self, name: str, database: str, folder: str, ports: list[int], **values: str) -> Node:
        """A gateway on this cluster; `values` go into its configuration."""
        os.makedirs(folder, exist_ok=True)
        values = {
            "database": self.postgres.url(database), "pepper": self.pepper, "engine_port": str(self.engine_port),
            **values,
        }
        return Node(name, folder, self.settings.program, ports[0], ports[1], values)

    async def administer(self, office: Node, *words: str) -> dict:
        """Runs an admin command that must succeed."""
        output = await must_run(
            self.settings.program, "admin", *words, "--config", office.configuration, "--format", "json")
        return json.loads(output)

    async def make_key(self, office: Node, team: str, name: str, limits: list[str]) -> Key:
        """Makes a key with quotas."""
        made = await self.administer(office, "key", "create", "--team", team, "--name", name)
        if limits:
            await self.administer(office, "quota", "set", "--key", made["key_id"], *limits)
        return Key(made["key_id"], made["key"], name, team)

    async def copy(self, name: str) -> str:
        """A database of its own for a scenario, with all keys in it."""
        self._copies += 1
        database = f"turnpike_{self._copies}_{name.replace('-', '_')}"
        with self.postgres.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE {_TEMPLATE}")
        return database

    async def stop(self) -> None:
        if self._engine:
            self._engine.terminate()
            await asyncio.to_thread(self._engine.wait)
        if self.postgres:
            await self.postgres.stop()


class Rig:
    """One scenario's gateways, load and observers."""

    def __init__(self, cluster: Cluster, name: str):
        self.cluster = cluster
        self.settings = cluster.settings
        self.name = name
        self.keys = list(cluster.keys)
        self.database = ""
        self.nodes: list[Node] = []
        #: Node numbers whose disk is gone, with what they had open in the ledger then.
        self.lost: dict[int, int] = {}
        #: What went wrong that no oracle sees: a gateway that ended by itself, a fault that did not happen.
        self.complaints: list[str] = []
        self.faults: dict[str, int] = {}
        #: Node names by their numbers in the ledger, those of lost disks too.
        self.names: dict[int, str] = {}
        self.sampler: Sampler | None = None
        #: The engines of a scenario whose requests may be tried at several, and who pays for copies.
        self.routes: Routes | None = None
        #: What this scenario brought along and takes down, the last first.
        self._ends: list[Callable[[], Awaitable[None]]] = []

    def at_end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Has something done once everything of the scenario has ended."""
        self._ends.append(end)

    async def use(self, cluster: Cluster) -> None:
        """Starts a cluster of this scenario's own and plays on it; it ends with the scenario."""
        self.at_end(cluster.stop)
        await cluster.start()
        self.cluster, self.keys = cluster, list(cluster.keys)

    async def make(self, nodes: int = 3, **values: str) -> None:
        """Makes the database and the nodes; starts nothing."""
        self.database = await self.cluster.copy(self.name)
        ports = free_ports(2 * nodes)
        for index in range(nodes):
            self.nodes.append(self.cluster.node(
                f"n{index}", self.database, f"{self.cluster.folder}/{self.name}/n{index}",
                ports[2 * index:2 * index + 2], **values))

    async def start(self) -> None:
        """Starts every node that does not run, and the sampler."""
        await self.start_nodes()
        self.sampler = self.new_sampler()

    def new_sampler(self) -> Sampler:
        """A sampler that runs."""
        sampler = Sampler(lambda: self.connect(options="-c statement_timeout=2000"))
        sampler.start()
        return sampler

    async def start_nodes(self) -> None:
        idle = [node for node in self.nodes if not node.is_running]
        for node in idle:
            node.start()
        await asyncio.gather(*(node.wait_ready() for node in idle))

    def connect(self, **more):
        """A connection of the harness to this rig's database."""
        return self.cluster.postgres.connect(self.database, **more)

    def driver(self, load: Load | None = None, keys: list[Key] | None = None) -> Driver:
        """Clients over all nodes."""
        return Driver(self.nodes, keys or self.keys, load or Load(), self.settings.seed, self.name)

    def note_names(self) -> None:
        """Remembers which node has which number: a node that loses its disk gets another."""
        self.names |= {node.number: node.name for node in self.nodes if node.number is not None}

    def count(self, fault: str, number: int = 1) -> None:
        """Notes faults that were injected."""
        self.faults[fault] = self.faults.get(fault, 0) + number

    def complain(self, text: str) -> None:
        self.complaints.append(text)

    async def make_key(self, team: str, name: str, limits: list[str]) -> Key:
        """A key of this scenario's own."""
        return await self.cluster.make_key(self.nodes[0], team, name, limits)

    async def lose(self, node: Node) -> None:
        """Kills a node and its disk for good, and notes what it had open in the ledger."""
        self.note_names()
        number = node.number
        await node.kill()
        node.lose()
        if number is None:
            return
        # A batch that the dead node sent may still commit.
        with self.connect() as connection:
            count, same = -1, 0
            while same < 4:
                row = connection.execute("SELECT count(*) FROM reservation WHERE node_id = %s", [number]).fetchone()
                same = same + 1 if row[0] == count else 0
                count = row[0]
                await asyncio.sleep(0.05)
        self.lost[number] = count

    async def come_to_rest(self) -> None:
        """Heals what is dead, waits until nothing is open, and stops every gateway gracefully."""
        for node in self.nodes:
            node.signal(signal.SIGCONT)
        await self.start_nodes()
        self.note_names()
        await self._settled()
        for node in self.nodes:
            status = await node.terminate()
            if status != 0:
                self.complain(f"{node.name} stopped with {status}: {node.complaint[-600:]}")

    async def _settled(self, within: float = 15.0) -> None:
        query = """SELECT (SELECT count(*) FROM reservation),
            (SELECT count(*) FROM lease l WHERE NOT l.node_id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM node_lane n
                WHERE n.shard = l.shard AND n.node_id = l.node_id AND n.epoch = l.epoch AND n.live))"""
        deadline = asyncio.get_running_loop().time() + within
        with self.connect() as connection:
            while True:
                open_requests, dead_leases = connection.execute(query, [list(self.lost)]).fetchone()
                if open_requests == dead_leases == 0:
                    return
                if asyncio.get_running_loop().time() > deadline:
                    # The oracles say what is wrong with it.
                    return
                await asyncio.sleep(0.05)

    async def audit(self) -> tuple[int, str]:
        """`turnpike admin audit --complete`: its status and what it said."""
        status, output, complaint = await run(
            self.settings.program, "admin", "audit", "--complete", "--config", self.nodes[0].configuration,
            "--format", "json")
        return status, output + complaint

    async def end(self) -> None:
        """Ends everything of it, however it is."""
        if self.sampler:
            self.sampler.stop()
        for node in self.nodes:
            await node.end()
            self.complaints += node.surprises
        for end in reversed(self._ends):
            try:
                await end()
            except (OSError, RuntimeError) as error:
                self.complain(f"not taken down: {error}")
