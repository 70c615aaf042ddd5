"""Runs schemathesis against the gateway by its own /openapi.json, for the seconds given as the argument.

Prints how many requests of which status there were, and what was found. Beside schemathesis's own checks every event of a
stream is held against the schema of chunks.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

import jsonschema_rs
import schemathesis

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "missing_required_header",
    "ignored_auth",
    "events_conform",
]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # The names of models that are not here would all be 404, whatever else is right or wrong with a request.
    models = {"type": "string", "enum": ["scripted", "other"]}
    raw_schema["components"]["schemas"]["ChatCompletionRequest"]["properties"]["model"] = models
    for item in raw_schema["paths"].values():
        for parameter in item.get("get", {}).get("parameters", []):
            parameter.update(schema=models, example="scripted")
        if "post" in item:
            for example in item["post"]["requestBody"]["content"]["application/json"]["examples"].values():
                example["value"]["model"] = "scripted"


@schemathesis.hook
def after_call(context, case, response):
    with open(os.environ["CONFORM_LOG"], "a") as log:
        kind = response.headers.get("content-type", [""])[0]
        print(case.operation.label, response.status_code, kind, sep="\t", file=log)


@schemathesis.check
def events_conform(context, response, case):
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        events = response.content.decode().split("\n\n")
        assert events.pop() == "", "the stream does not end with an empty line"
        assert events.pop() == "data: [DONE]", "the stream does not end with [DONE]"
        root = case.operation.schema.raw_schema
        chunk = jsonschema_rs.Draft202012Validator(
            {"$ref": "#/components/schemas/ChatCompletionChunk", "components": root["components"]}
        )
        for event in events:
            assert event.startswith("data: ") and "\n" not in event, f"not one line of data: {event!r}"
            for error in chunk.iter_errors(json.loads(event[6:])):
                raise AssertionError(f"{error}\n{event}")


def main():
    seconds = sys.argv[1]
    address = urlsplit(os.environ["OPENAI_BASE_URL"])
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "calls")
        run = subprocess.run(
            [
                *[sys.executable, "-m", "schemathesis.cli", "--no-color", "run"],
                *[f"http://{address.netloc}/openapi.json", "--checks", ",".join(CHECKS)],
                *["--header", f"Authorization: Bearer {os.environ['OPENAI_API_KEY']}"],
                *["--phases", "examples,coverage,fuzzing", "--max-time", seconds],
                *["--continue-on-failure", "--request-timeout", "10", "--no-shrink"],
                *["--generation-database", "none", "--warnings", "off"],
            ],
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": __file__, "CONFORM_LOG": log},
            capture_output=True,
            text=True,
        )
        calls = collections.Counter()
        streams = 0
        with open(log) as lines:
            for line in lines:
                operation, status, kind = line.rstrip("\n").split("\t")
                calls[f"{operation} {status}"] += 1
                streams += kind.startswith("text/event-stream")
    print(json.dumps({"status": run.returncode, "calls": calls, "streams": streams, "found": run.stdout + run.stderr}))


if __name__ == "__main__":
    main()
