"""Sends what the gateway sent to the scripted upstream once more, through the official `anthropic` package.

The arguments are a file with one body a line and the upstream's address. Every body must be what the package's own types
allow, and every answer and every event what they promise; prints what the package made of each answer.
"""

import collections.abc
import json
import sys

import anthropic
from anthropic.types import Message, MessageCreateParams, RawMessageStreamEvent
from anthropic.types.shared import ErrorResponse
from pydantic import TypeAdapter

# The newest models take none of these, so the package's types lack them; the API has them for the others.
SAMPLING = {"temperature", "top_p", "top_k"}
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
PARAMS = TypeAdapter(MessageCreateParams)
EVENT = TypeAdapter(RawMessageStreamEvent)
ERROR = TypeAdapter(ErrorResponse)


def whole(value):
    """What is validated as it is read, read to its end."""
    if isinstance(value, collections.abc.Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, collections.abc.Iterable) and not isinstance(value, (str, bytes)):
        return [whole(item) for item in value]
    return value


def said(message):
    blocks = message.content
    usage = message.usage
    written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
    details = usage.output_tokens_details
    return {
        "text": "".join(block.text for block in blocks if block.type == "text"),
        "thinking": "".join(block.thinking for block in blocks if block.type == "thinking"),
        "calls": [{"id": b.id, "name": b.name, "input": b.input} for b in blocks if b.type == "tool_use"],
        "finish": REASONS[message.stop_reason],
        "usage": {
            "prompt": usage.input_tokens + written + read,
            "cached": read,
            "written": written,
            "completion": usage.output_tokens,
            "reasoning": details.thinking_tokens if details else 0,
        },
    }


def send(client, body):
    sampling = {name: body.pop(name) for name in SAMPLING & body.keys()}
    # What the types do not know is not in what they give back.
    assert whole(PARAMS.validate_python(body)) == body, body
    assert body.pop("stream") is True
    create = client.messages.create
    try:
        reply = client.messages.with_raw_response.create(**body, extra_body=sampling)
        Message.model_validate_json(reply.text(), strict=True)
        plain = said(reply.parse())
        for event in create(**body, extra_body=sampling, stream=True):
            EVENT.validate_python(event.to_dict(), strict=True)
        with client.messages.stream(**body, extra_body=sampling) as stream:
            streamed = said(stream.get_final_message())
        assert streamed == plain, (streamed, plain)
        return plain
    except anthropic.APIStatusError as error:
        ERROR.validate_python(error.body, strict=True)
        return {"error": type(error).__name__, "status": error.status_code, "type": error.body["error"]["type"]}


client = anthropic.Anthropic(base_url=sys.argv[2], api_key="sk-ant-another", max_retries=0)
with open(sys.argv[1]) as lines:
    print(json.dumps({"answers": [send(client, json.loads(line)) for line in lines]}))
