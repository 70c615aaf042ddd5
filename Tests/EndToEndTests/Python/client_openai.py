"""The official package: plain, streamed, tools, structured outputs, each through both of its clients; prints what came."""

import asyncio
import json
from typing import Literal

import openai
from asked import QUESTION, WEATHER
from asked import TOOL as PLAIN_TOOL
from pydantic import BaseModel


class Capital(BaseModel):
    """What is asked for."""

    city: Literal["Tokyo", "Paris"]


class get_weather(BaseModel):
    """Get the weather"""

    city: str


TOOL = openai.pydantic_function_tool(get_weather)
COMMON = {"model": "demo", "temperature": 0}


def synchronous():
    client = openai.OpenAI(max_retries=0)
    create = client.chat.completions.create
    plain = create(messages=QUESTION, logprobs=True, top_logprobs=2, n=2, seed=1, **COMMON)
    tokens = plain.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == plain.choices[0].message.content
    assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in tokens)
    assert [choice.index for choice in plain.choices] == [0, 1]

    tools = [PLAIN_TOOL]
    call = create(messages=WEATHER, tools=tools, tool_choice="required", **COMMON).choices[0]
    assert call.finish_reason == "tool_calls", call
    answer = {"role": "tool", "tool_call_id": call.message.tool_calls[0].id, "content": "sunny"}
    told = create(messages=WEATHER + [call.message, answer], tools=tools, **COMMON)

    parse = client.chat.completions.parse
    parsed = parse(messages=QUESTION, response_format=Capital, **COMMON).choices[0].message.parsed
    arguments = parse(messages=WEATHER, tools=[TOOL], tool_choice="required", **COMMON)
    arguments = arguments.choices[0].message.tool_calls[0].function.parsed_arguments

    with client.chat.completions.stream(
        messages=WEATHER, tools=[TOOL], stream_options={"include_usage": True}, **COMMON
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.delta" in kinds, kinds
    assert final.usage.total_tokens == final.usage.prompt_tokens + final.usage.completion_tokens
    with client.chat.completions.stream(
        messages=QUESTION, response_format=Capital, **COMMON
    ) as stream:
        streamed = stream.get_final_completion().choices[0].message.parsed
    return {
        "plain": plain.choices[1].message.content,
        "told": told.choices[0].message.content,
        "parsed": parsed.city,
        "parsed_call": arguments.city,
        "streamed_call": final.choices[0].message.tool_calls[0].function.parsed_arguments.city,
        "parsed_stream": streamed.city,
        "models": sorted(model.id for model in client.models.list()),
    }


async def asynchronous():
    async with openai.AsyncOpenAI(max_retries=0) as client:
        create = client.chat.completions.create
        plain = await create(messages=QUESTION, **COMMON)
        parsed = await client.chat.completions.parse(
            messages=QUESTION, response_format=Capital, **COMMON
        )
        text, usage = "", None
        async for chunk in await create(
            messages=QUESTION, stream=True, stream_options={"include_usage": True}, **COMMON
        ):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
            usage = chunk.usage or usage
        assert usage.completion_tokens == plain.usage.completion_tokens, usage
        return {
            "plain": plain.choices[0].message.content,
            "parsed": parsed.choices[0].message.parsed.city,
            "streamed": text,
        }


print(json.dumps({"sync": synchronous(), "async": asyncio.run(asynchronous())}))
