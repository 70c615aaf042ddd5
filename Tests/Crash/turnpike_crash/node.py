"""One gateway: a process that is started, killed, stopped, and started again on its folder."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from .processes import die_with_parent

CONFIGURATION = """\
listen: 127.0.0.1:{port}
admin_listen: 127.0.0.1:{admin_port}
database: "{database}"
data_dir: {data}
pepper_file: {pepper}
log_level: {log_level}
drain_timeout: {drain_timeout}
end_wait: {end_wait}
heartbeat_interval: {heartbeat}
fence_after: {fence_after}
sweep_interval: {sweep}
backends:
  engine:
    kind: openai
    base_url: http://127.0.0.1:{engine_port}/v1
    allow_private_addresses: true
{more_backends}routing: {routing}
models:
  mock:
    backends: {route}
{more_model}    context_tokens: 4096
    max_completion_tokens: 512
    price: {{ prompt_usd_per_mtok: 1, completion_usd_per_mtok: 2 }}
"""

#: What a node is configured with unless a scenario says otherwise: everything quick, so that a fault shows at once.
SETTINGS = {
    "log_level": "warning", "drain_timeout": "5s", "end_wait": "3s", "heartbeat": "300ms", "fence_after": "2s",
    "sweep": "500ms", "more_backends": "", "more_model": "", "route": "[engine]",
    # The engine plays every failure, and the witnesses hold each request against one call of it.
    "routing": "{ attempts: 1, breaker: { consecutive_failures: 100000, minimum_calls: 100000 } }",
}


class Node:
    """A gateway's folder and its process, if it runs."""

    def __init__(self, name: str, folder: str, program: str, port: int, admin_port: int, values: dict[str, str]):
        self.name = name
        self.folder = folder
        self.program = program
        self.port = port
        self.admin_port = admin_port
        self.values = {**SETTINGS, **values}
        self.process: subprocess.Popen | None = None
        #: Words in front of the program, such as `faketime -f +1d`, or `ip netns exec NAME`.
        self.wrapper: list[str] = []
        #: Variables beside the harness's own.
        self.environment: dict[str, str] = {}
        self.starts = 0
        #: Ends that nobody asked for, in words.
        self.surprises: list[str] = []
        self._end_is_known = True
        self.write()

    @property
    def data(self) -> str:
        return self.values.get("data") or f"{self.folder}/data"

    @property
    def configuration(self) -> str:
        return f"{self.folder}/turnpike.yaml"

    @property
    def log(self) -> str:
        return f"{self.folder}/log"

    def write(self) -> None:
        """Writes its configuration, and makes its folders."""
        os.makedirs(self.data, exist_ok=True)
        values = {"data": self.data, **self.values}
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION.format(port=self.port, admin_port=self.admin_port, **values))

    @property
    def number(self) -> int | None:
        """Its number in the ledger; None before its first start."""
        try:
            with open(f"{self.data}/node-id") as file:
                return int(file.read())
        except FileNotFoundError:
            return None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # Starting

    def start(self, failpoint: str | None = None) -> None:
        """Starts the process; `failpoint` is `name:count`, at which it kills itself."""
        assert not self.is_running, f"{self.name} runs already"
        self._notice()
        self._end_is_known = False
        environment = {**os.environ, **self.environment}
        if failpoint:
            environment["TURNPIKE_FAILPOINT"] = failpoint
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, "serve", "--config", self.configuration], cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, preexec_fn=self._in_child)
        self.starts += 1

    def _in_child(self) -> None:
        os.setpgid(0, 0)
        die_with_parent()

    async def wait_ready(self, within: float = 30.0) -> None:
        """Waits until `/readyz` says that it serves. Raises when it ends or does not get there."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if not self.is_running:
                raise RuntimeError(f"{self.name} ended while it started: {self.complaint}")
            if await asyncio.to_thread(self._is_ready):
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.name} is not ready after {within} s: {self.complaint}")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    # Ending

    def signal(self, number: int) -> None:
        """Sends a signal to the process and, behind a wrapper, to what it started."""
        if self.is_running:
            os.killpg(self.process.pid, number)

    async def kill(self) -> None:
        """`kill -9`."""
        self._notice()
        self.signal(signal.SIGKILL)
        await self.wait()

    async def end(self) -> None:
        """Ends it if it runs."""
        if self.process is not None:
            await self.kill()

    async def wait(self, within: float = 30.0) -> int:
        """Waits for the process to end: its status, negative for a signal; raises when it goes on."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} goes on after {within} s: {self.complaint}")
            await asyncio.sleep(0.01)
        self._end_is_known = True
        return self.process.returncode

    def _notice(self) -> None:
        """Notes that it ended before anybody ended it."""
        if self._end_is_known or self.is_running:
            return
        self._end_is_known = True
        self.surprises.append(f"{self.name} ended by itself with {self.process.returncode}: {self.complaint[-800:]}")

    async def terminate(self, within: float = 20.0) -> int:
        """Stops it as a supervisor does; its status."""
        self.signal(signal.SIGTERM)
        return await self.wait(within)

    def lose(self) -> None:
        """Its disk is gone; it comes back as a new node. It must not run."""
        assert not self.is_running
        shutil.rmtree(self.data)
        os.makedirs(self.data)

    @property
    def complaint(self) -> str:
        """The end of what it said."""
        try:
            with open(self.log, errors="replace") as log:
                return log.read()[-1500:]
        except FileNotFoundError:
            return ""
