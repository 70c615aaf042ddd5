"""`python -m turnpike_crash --program PROGRAM [SCENARIO...]`: plays scenarios and prints one table."""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time

from . import scenarios, table
from .rig import Cluster, Settings
from .scenario import play


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="deploy/crash", description="Injects real faults into real gateways and checks that nothing is lost, "
        "nothing doubled and no limit overshot.",
        epilog="scenarios: " + "; ".join(f"{each.name} ({each.what})" for each in scenarios.ALL))
    parser.add_argument("scenario", nargs="*", help="which to play; all of them if none is named")
    parser.add_argument("--program", required=True, help="a debug build of turnpike, which has the failpoints")
    parser.add_argument(
        "--scale", type=float, default=float(os.environ.get("TURNPIKE_CRASH_SCALE") or 1),
        help="how many faults, as a multiple of the short run's (or TURNPIKE_CRASH_SCALE)")
    parser.add_argument(
        "--seed", type=int, default=int(os.environ.get("TURNPIKE_CRASH_SEED") or random.SystemRandom().randrange(1 << 31)),
        help="what decides every choice (or TURNPIKE_CRASH_SEED)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run")
    return parser.parse_args()


async def run(arguments: argparse.Namespace, folder: str) -> list[table.Row]:
    known = {each.name: each for each in scenarios.ALL}
    chosen = [known[name] for name in arguments.scenario] or scenarios.ALL
    settings = Settings(os.path.abspath(arguments.program), arguments.scale, arguments.seed, folder)
    cluster = Cluster(settings)
    rows = []
    try:
        await cluster.start()
        for each in chosen:
            obstacle = each.obstacle()
            if obstacle:
                print(f"crash: not playing {each.name}: {obstacle}", file=sys.stderr, flush=True)
                continue
            print(f"crash: playing {each.name}", file=sys.stderr, flush=True)
            row = await play(each, cluster)
            rows.append(row)
            if not row.is_good:
                print(f"crash: {each.name} FAILED", file=sys.stderr, flush=True)
    finally:
        await cluster.stop()
    return rows


def tell(rows: list[table.Row]) -> None:
    """Prints the table, and what was violated: last, so that whoever sees only the end of a long log sees it."""
    for row in rows:
        for note in row.notes:
            print(f"{row.name}: {note}")
    print()
    print(table.render(rows))
    for row in rows:
        for text in row.complaints[:10]:
            print(f"{row.name}: FAULT {text}")
        for oracle, texts in row.verdict.violations.items():
            for text in texts[:10]:
                print(f"{row.name}: {oracle} VIOLATED {text}")
            if len(texts) > 10:
                print(f"{row.name}: {oracle} VIOLATED and {len(texts) - 10} more")


def main() -> int:
    arguments = read_arguments()
    unknown = set(arguments.scenario) - {each.name for each in scenarios.ALL}
    if unknown:
        print(f"crash: no such scenario: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    # The socket's path must be short.
    folder = tempfile.mkdtemp(prefix="turnpike-crash.", dir="/tmp")
    os.chmod(folder, 0o711)
    print(f"crash: seed {arguments.seed}, scale {arguments.scale:g}, in {folder}", file=sys.stderr, flush=True)
    started = time.monotonic()
    rows = asyncio.run(run(arguments, folder))
    tell(rows)
    good = bool(rows) and all(row.is_good for row in rows)
    faults = sum(number for row in rows for number in row.faults.values())
    print(f"\n{faults} faults in {time.monotonic() - started:.0f} s, seed {arguments.seed}: "
          + ("0 lost, 0 double, 0 over the limit" if good else "VIOLATED"))
    if arguments.keep or not good:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
