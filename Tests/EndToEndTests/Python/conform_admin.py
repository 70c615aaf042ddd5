"""Runs schemathesis against the admin API by its own description, for the seconds given as the argument.

Prints how many requests of which status there were, and what was found.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

import schemathesis

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


@schemathesis.hook
def after_call(context, case, response):
    with open(os.environ["CONFORM_LOG"], "a") as log:
        print(f"{case.operation.label} {response.status_code}", file=log)


def main():
    root = os.environ["TURNPIKE_ADMIN"]
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "calls")
        run = subprocess.run(
            [
                *[sys.executable, "-m", "schemathesis.cli", "--no-color", "run"],
                *[f"{root}/admin/openapi.json", "--checks", ",".join(CHECKS)],
                *["--header", f"Authorization: Bearer {os.environ['TURNPIKE_ADMIN_KEY']}"],
                *["--phases", "examples,coverage,fuzzing", "--max-time", sys.argv[1]],
                *["--continue-on-failure", "--request-timeout", "20", "--no-shrink"],
                *["--generation-database", "none", "--warnings", "off"],
            ],
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": __file__, "CONFORM_LOG": log},
            capture_output=True,
            text=True,
        )
        calls = collections.Counter()
        if os.path.exists(log):
            with open(log) as lines:
                calls.update(line.rstrip("\n") for line in lines)
    print(json.dumps({"status": run.returncode, "calls": calls, "found": run.stdout + run.stderr}))


if __name__ == "__main__":
    main()
