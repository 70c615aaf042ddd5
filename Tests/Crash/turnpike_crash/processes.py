"""Child processes and ports."""

import asyncio
import ctypes
import os
import signal
import socket

_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Runs in the child: it is killed when the harness dies, whatever kills that."""
    _LIBC.prctl(1, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment, all different, below those the kernel gives to clients.

    A port that a restarted gateway must get again would otherwise be somebody's client port meanwhile.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])
    found: list[int] = []
    candidate = 10_000 + int.from_bytes(os.urandom(2)) % 15_000
    while len(found) < count:
        candidate = candidate + 1 if candidate + 1 < min(lowest, 32_000) else 10_000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            found.append(candidate)
    return found


async def run(*command: str, within: float = 60.0, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Runs a command to its end: status, output, complaint."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment)
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), within)
    except asyncio.TimeoutError:
        process.kill()
        output, complaint = await process.communicate()
        return -1, output.decode(), f"not finished within {within} s: {complaint.decode()}"
    return process.returncode or 0, output.decode(), complaint.decode()


async def must_run(*command: str, within: float = 60.0) -> str:
    """Runs a command that must succeed; its output."""
    status, output, complaint = await run(*command, within=within)
    if status != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {status}: {complaint.strip()}")
    return output
