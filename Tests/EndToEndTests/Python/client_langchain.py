"""langchain-openai: invoke, stream, bind_tools, with_structured_output and their like; prints what came."""

import asyncio
import json
import os
from typing import Literal

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

QUESTION = "What is the capital of Japan?"


class Capital(BaseModel):
    """What is asked for."""

    city: Literal["Tokyo", "Paris"]


class GetWeather(BaseModel):
    """Get the weather"""

    model_config = {"title": "get_weather"}
    city: str


@tool
def get_weather(city: str) -> str:
    """Get the weather"""
    return "sunny"


model = ChatOpenAI(
    model="demo", temperature=0, base_url=os.environ["OPENAI_BASE_URL"], max_retries=0
)
plain = model.invoke(QUESTION)
counts = plain.usage_metadata
assert counts["total_tokens"] == counts["input_tokens"] + counts["output_tokens"], counts
assert plain.response_metadata["finish_reason"] == "stop", plain
assert plain.response_metadata["model_name"] == "demo", plain

streamed = None
for chunk in ChatOpenAI(
    model="demo", temperature=0, base_url=os.environ["OPENAI_BASE_URL"], stream_usage=True
).stream(QUESTION):
    streamed = chunk if streamed is None else streamed + chunk
assert streamed.usage_metadata["output_tokens"] == counts["output_tokens"], streamed

asked = HumanMessage("What is the weather in Paris?")
bound = model.bind_tools([get_weather])
call = bound.invoke([asked])
first = call.tool_calls[0]
answer = ToolMessage(get_weather.invoke(first["args"]), tool_call_id=first["id"])
told = bound.invoke([asked, call, answer])
pieces = None
for chunk in model.bind_tools([get_weather], tool_choice="get_weather").stream([asked]):
    pieces = chunk if pieces is None else pieces + chunk

print(
    json.dumps(
        {
            "plain": plain.content,
            "async": asyncio.run(model.ainvoke(QUESTION)).content,
            "streamed": streamed.content,
            "call": first["args"]["city"],
            "streamed_call": pieces.tool_calls[0]["args"]["city"],
            "told": told.content,
            "schema": model.with_structured_output(Capital).invoke(QUESTION).city,
            "function": model.with_structured_output(GetWeather, method="function_calling")
            .invoke([asked])
            .city,
        }
    )
)
