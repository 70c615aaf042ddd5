"""The network between a node and Postgres, to be cut: both ways, each way alone, on and off.

With the rights for it, Postgres lives in a network namespace of its own, with an address for each node, and the packets
are dropped there: nobody is told, connections stay half open, and nothing of the machine's own network is touched.
Without, a proxy stands between, which only stops forwarding; it can delay, too.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
from typing import Protocol

from .node import Node
from .postgres import Postgres
from .processes import free_ports, must_run

#: What may be cut: everything, what a node says, what Postgres says.
DIRECTIONS = ("both", "to", "from")


class Wires(Protocol):
    """The way from each node to Postgres."""

    def url(self, index: int, database: str) -> str:
        """Where the node with that index finds the database."""

    async def cut(self, index: int, direction: str) -> None:
        """Nothing gets through in that direction any more."""

    async def heal(self, index: int) -> None:
        """Everything gets through again."""

    async def close(self) -> None:
        """Takes everything down."""


def namespaces_work() -> bool:
    """Whether this process may make network namespaces and drop packets in them."""
    if os.getuid() != 0 or not shutil.which("ip") or not shutil.which("nft"):
        return False
    name = f"tpk-try-{os.getpid()}"
    try:
        return subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode == 0 and subprocess.run(
            ["ip", "netns", "exec", name, "nft", "add", "table", "inet", "t"], capture_output=True).returncode == 0
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


class NamespacePostgres(Postgres):
    """A Postgres inside a network namespace. Its socket in the file system is reached from everywhere."""

    def __init__(self, folder: str, port: int, namespace: str):
        super().__init__(folder, port, {"listen_addresses": "*"})
        self.namespace = namespace

    def _as_owner(self) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *super()._as_owner()]

    async def create(self) -> None:
        await super().create()
        with open(f"{self.folder}/data/pg_hba.conf", "a") as file:
            file.write("host all all 10.0.0.0/8 trust\n")
        with self.connect("postgres") as connection:
            connection.execute("SELECT pg_reload_conf()")


class NamespaceWires:
    """A pair of virtual interfaces between the nodes' namespace and that of Postgres."""

    def __init__(self, folder: str, nodes: int):
        tag = f"{os.getpid() % 60000}"
        self.name = f"tpk-{tag}"
        self._outside, self._inside = f"tpo{tag}", f"tpi{tag}"
        # A network of 10/8 by the process's number, so that two harnesses do not meet.
        self._network = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
        self._nodes = nodes
        self.postgres = NamespacePostgres(folder, free_ports(1)[0], self.name)

    async def open(self) -> None:
        """Makes the namespace, the interfaces and the rules; then Postgres."""
        ip = ("ip", "-n", self.name)
        await must_run("ip", "netns", "add", self.name)
        await must_run("ip", "link", "add", self._outside, "type", "veth", "peer", "name", self._inside, "netns", self.name)
        await must_run("ip", "address", "add", f"{self._network}.1/24", "dev", self._outside)
        await must_run("ip", "link", "set", self._outside, "up")
        for index in range(self._nodes):
            await must_run(*ip, "address", "add", f"{self._address(index)}/24", "dev", self._inside)
        await must_run(*ip, "link", "set", self._inside, "up")
        await must_run(*ip, "link", "set", "lo", "up")
        await self._nft("add table inet cut")
        await self._nft("add chain inet cut in { type filter hook input priority 0 ; }")
        await self._nft("add chain inet cut out { type filter hook output priority 0 ; }")
        await self._nft("add set inet cut to { type ipv4_addr ; }")
        await self._nft("add set inet cut from { type ipv4_addr ; }")
        await self._nft("add rule inet cut in ip daddr @to drop")
        await self._nft("add rule inet cut out ip saddr @from drop")
        await self.postgres.create()

    def _address(self, index: int) -> str:
        return f"{self._network}.{10 + index}"

    async def _nft(self, command: str) -> None:
        await must_run("ip", "netns", "exec", self.name, "nft", command)

    def url(self, index: int, database: str) -> str:
        return self.postgres.tcp_url(database, host=self._address(index))

    async def cut(self, index: int, direction: str) -> None:
        for name in ("to", "from"):
            if direction in (name, "both"):
                await self._nft(f"add element inet cut {name} {{ {self._address(index)} }}")

    async def heal(self, index: int) -> None:
        for name in ("to", "from"):
            # Adding what is there does nothing, and lets the deletion succeed.
            await self._nft(f"add element inet cut {name} {{ {self._address(index)} }}")
            await self._nft(f"delete element inet cut {name} {{ {self._address(index)} }}")

    async def close(self) -> None:
        await self.postgres.stop()
        # Takes its interfaces, and with them their other ends, and its rules along.
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


class ProxyWires:
    """A proxy for each node. What it does not forward it leaves unread, as a network without answers would."""

    def __init__(self, postgres: Postgres, nodes: int):
        self.postgres = postgres
        self._ports = free_ports(nodes)
        self._servers: list[asyncio.Server] = []
        self._open = [{"to": asyncio.Event(), "from": asyncio.Event()} for _ in range(nodes)]
        #: Seconds that each piece is kept before it goes on.
        self.delay = [0.0] * nodes
        self._tasks: set[asyncio.Task] = set()

    async def open(self) -> None:
        for index, port in enumerate(self._ports):
            for event in self._open[index].values():
                event.set()
            self._servers.append(await asyncio.start_server(
                lambda reader, writer, index=index: self._serve(index, reader, writer), "127.0.0.1", port))

    def url(self, index: int, database: str) -> str:
        return self.postgres.tcp_url(database, port=self._ports[index])

    async def cut(self, index: int, direction: str) -> None:
        for name, event in self._open[index].items():
            if direction in (name, "both"):
                event.clear()

    async def heal(self, index: int) -> None:
        for event in self._open[index].values():
            event.set()

    async def _serve(self, index: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        try:
            # A cut network does not refuse: the connection is there, and says nothing.
            await self._open[index]["to"].wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.postgres.port)
            await asyncio.gather(
                self._carry(index, "to", reader, far_writer), self._carry(index, "from", far_reader, writer))
        except OSError:
            pass
        finally:
            writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _carry(self, index: int, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await asyncio.sleep(self.delay[index])
                await self._open[index][name].wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task


def lead(wires: Wires, nodes: list[Node], database: str) -> None:
    """Has every node of `nodes`, before it starts, find Postgres over its own wire."""
    for index, node in enumerate(nodes):
        node.values["database"] = wires.url(index, database)
        node.write()
