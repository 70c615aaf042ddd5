"""Runs schemathesis against the gateway by its own /openapi.json, for the seconds given as the argument.

Prints how many requests of which status there were, and what was found. Beside schemathesis's own checks every event of a
stream is held against the schema of chunks.
"""

import collections
import copy
import json
import os
import re
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
    # The names of models that are not here would all be 404, whatever else is right or wrong with a request. One of these
    # speaks, searches and looks at what it is sent, the other does not.
    models = {"type": "string", "enum": ["scripted", "sights"]}
    raw_schema["components"]["schemas"]["ChatCompletionRequest"]["properties"]["model"] = models
    share_rules(raw_schema)
    for item in raw_schema["paths"].values():
        for parameter in item.get("get", {}).get("parameters", []):
            if parameter["in"] == "path":
                parameter.update(schema=models, example="scripted")
        if "post" in item:
            for example in item["post"]["requestBody"]["content"]["application/json"]["examples"].values():
                example["value"]["model"] = "scripted"


def share_rules(root):
    """Gives each path of chat completions some of the rules between parameters, and not the parameters of the others.

    The generator knows how to follow a few of them at once, and gives up on all. What it makes for one path is valid by
    all of them but those between the two places of `reasoning_effort`, of which there is one for each word.
    """
    schemas = root["components"]["schemas"]
    request = schemas["ChatCompletionRequest"]
    rules = [(rule, names(rule)) for rule in request.pop("allOf")]
    groups = [
        {"stream", "logprobs", "modalities", "audio"},
        {"tools", "functions", "function_call"},
        {"enable_thinking"},
    ]
    paths = [item for path, item in root["paths"].items() if "post" in item]
    assert len(paths) == len(groups), "each path has its rules"
    for number, (group, item) in enumerate(zip(groups, paths)):
        own = [(rule, members) for rule, members in rules if members & group]
        assert own, "a group of rules is empty"
        kept = set().union(*(members for _, members in own))
        strange = set().union(*(members for _, members in rules)) - kept - {"stream"}
        mine = copy.deepcopy(request)
        mine["allOf"] = [rule for rule, _ in own]
        for name in strange:
            mine["properties"].pop(name, None)
        schemas[f"Request{number}"] = mine
        content = item["post"]["requestBody"]["content"]["application/json"]
        content["schema"] = {"$ref": f"#/components/schemas/Request{number}"}


def names(rule):
    """The members that a rule speaks of, and those within them."""
    found = set()
    for word, part in rule.items():
        if word == "properties":
            found |= set(part)
            for inner in part.values():
                found |= names(inner)
        elif word in ("if", "then"):
            found |= names(part)
        elif word == "anyOf":
            for branch in part:
                found |= names(branch)
    return found


@schemathesis.hook
def after_call(context, case, response):
    with open(os.environ["CONFORM_LOG"], "a") as log:
        kind = response.headers.get("content-type", [""])[0]
        print(case.operation.label, response.status_code, kind, verdict(case, response), sep="\t", file=log)


def verdict(case, response):
    """What became of a body that follows the schema: "taken", or why it was refused; "" for any other."""
    meta = case.meta
    if case.method.upper() != "POST" or meta is None or meta.generation.mode.value != "positive":
        return ""
    if response.status_code != 400:
        return "taken"
    error = response.json()["error"]
    # The place in a list says nothing of the kind.
    return f"{error['code']} {re.sub(r'[0-9]+', 'N', error['param'] or error['message'])}"


@schemathesis.check
def events_conform(context, response, case):
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        # Without a say it stops after 20 events, and what it has read does not tell.
        assert not response.stream_cut_short, "the stream was not read to its end"
        events = response.content.decode().split("\n\n")
        assert events.pop() == "", "the stream does not end with an empty line"
        last = events.pop()
        assert last == "data: [DONE]", f"the stream does not end with [DONE] but with {last}"
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
        with open(os.path.join(folder, "schemathesis.toml"), "w") as settings:
            print("max-stream-events = 1000000", file=settings)
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
        positive = collections.Counter()
        with open(log) as lines:
            for line in lines:
                operation, status, kind, became = line.rstrip("\n").split("\t")
                calls[f"{operation} {status}"] += 1
                positive[became] += 1
                streams += kind.startswith("text/event-stream")
    del positive[""]
    found = run.stdout + run.stderr
    print(
        json.dumps(
            {"status": run.returncode, "calls": calls, "streams": streams, "positive": positive, "found": found}
        )
    )


if __name__ == "__main__":
    main()
