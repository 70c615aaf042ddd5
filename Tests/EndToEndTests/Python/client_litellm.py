"""litellm as a client: completions, streams, calls and errors; prints what came."""

import asyncio
import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # Nothing is fetched.
import litellm
from asked import QUESTION, TOOL, WEATHER

litellm.suppress_debug_info = True  # It would print help to standard output.
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "capital",
        "schema": {
            "type": "object",
            "properties": {"city": {"enum": ["Tokyo", "Paris"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def common(model="demo"):
    return {
        "model": "custom_openai/" + model,
        "api_base": os.environ["OPENAI_BASE_URL"],
        "api_key": os.environ["OPENAI_API_KEY"],
        "temperature": 0,
        "max_retries": 0,
    }


def provoke(**body):
    try:
        litellm.completion(**{**common(), "messages": QUESTION, **body})
    except Exception as error:
        return [type(error).__name__, getattr(error, "status_code", None)]


plain = litellm.completion(messages=QUESTION, **common())
assert plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens
chunks = list(
    litellm.completion(
        messages=QUESTION, stream=True, stream_options={"include_usage": True}, **common()
    )
)
streamed = litellm.stream_chunk_builder(chunks, messages=QUESTION)
assert streamed.usage.completion_tokens == plain.usage.completion_tokens, streamed.usage
call = litellm.completion(messages=WEATHER, tools=[TOOL], **common()).choices[0]
assert call.finish_reason == "tool_calls", call
told = litellm.completion(
    messages=WEATHER
    + [
        call.message.model_dump(),
        {"role": "tool", "tool_call_id": call.message.tool_calls[0].id, "content": "sunny"},
    ],
    tools=[TOOL],
    **common(),
)
schema = litellm.completion(messages=QUESTION, response_format=SCHEMA, **common())


async def asynchronous():
    return (await litellm.acompletion(messages=QUESTION, **common())).choices[0].message.content


print(
    json.dumps(
        {
            "plain": plain.choices[0].message.content,
            "async": asyncio.run(asynchronous()),
            "streamed": streamed.choices[0].message.content,
            "call": json.loads(call.message.tool_calls[0].function.arguments)["city"],
            "told": told.choices[0].message.content,
            "schema": json.loads(schema.choices[0].message.content)["city"],
            "errors": {
                "model": provoke(model="custom_openai/nobody"),
                "key": provoke(api_key="sk-wrong"),
                "temperature": provoke(temperature=3),
            },
        }
    )
)
