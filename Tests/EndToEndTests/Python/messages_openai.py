"""Asks models behind an upstream that speaks Anthropic's API, through the official `openai` package; prints what came.

The scripted upstream answers by a word in the question. Each call is made plain and streamed, in this order.
"""

import json

import openai

client = openai.OpenAI(max_retries=0)
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def tool(name):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": "Tells it", "parameters": schema, "strict": True}}


def user(text):
    return {"role": "user", "content": text}


TOOLS = [tool("get_weather"), {"type": "function", "function": {"name": "now"}}]
CALLS = [
    {"id": f"call:{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
    for name, arguments in [("get_weather", '{"city": "Paris"}'), ("now", "{}")]
]
SCHEMA = {"name": "capital", "description": "A capital", "schema": tool("")["function"]["parameters"], "strict": True}
FORMAT = {"type": "json_schema", "json_schema": SCHEMA}

# Every parameter of the contract that Anthropic's API has a word for.
CASES = [
    dict(messages=[user("messages-plain")], max_tokens=300),
    dict(
        messages=[{"role": "system", "content": "Be kind."}, user("messages-plain"), {"role": "developer", "content": "Be brief."}],
        temperature=0.25,
        stop=["END", " over "],
        user="u-1",
        extra_body={"top_k": 40},
        max_completion_tokens=64,
    ),
    dict(messages=[user("messages-plain")], top_p=0.5, safety_identifier="s-1", prompt_cache_key="k", n=2, metadata={"a": "b"}),
    dict(messages=[user("messages-everything")], tools=TOOLS, reasoning_effort="low", tool_choice="auto", parallel_tool_calls=True),
    dict(
        messages=[
            user("messages-plain"),
            {"role": "assistant", "content": "Let me see.", "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "call:get_weather", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call:now", "content": [{"type": "text", "text": "noon"}]},
        ],
        tools=TOOLS,
        tool_choice="required",
        parallel_tool_calls=False,
    ),
    dict(messages=[user("messages-everything")], tools=TOOLS, tool_choice={"type": "function", "function": {"name": "now"}}),
    dict(messages=[user("messages-everything")], tools=TOOLS, tool_choice="none"),
    dict(
        messages=[user([{"type": "text", "text": "messages-plain"}, {"type": "image_url", "image_url": {"url": PIXEL, "detail": "high"}}])],
    ),
    dict(messages=[user("messages-json")], response_format=FORMAT),
    dict(messages=[user("messages-everything")], model="claude-next", reasoning_effort="xhigh", response_format=FORMAT),
    dict(messages=[user("messages-everything")], model="claude-next", extra_body={"enable_thinking": True}, tools=TOOLS),
    dict(messages=[user("messages-plain")], model="claude-next", reasoning_effort="none", temperature=1),
    dict(messages=[user("messages-refusal")]),
    dict(messages=[user("messages-long")]),
    dict(messages=[user("messages-paused")]),
    dict(messages=[user("messages-overloaded")], model="claude-busy"),
    dict(messages=[user("messages-limited")], model="claude-limited"),
    dict(messages=[user("messages-broken")]),
]

# What Anthropic's API cannot do, and the name by which it is refused.
REFUSED = {
    "seed": dict(seed=1),
    "logprobs": dict(logprobs=True),
    "logit_bias": dict(logit_bias={"5": 1}),
    "frequency_penalty": dict(frequency_penalty=0.5),
    "presence_penalty": dict(presence_penalty=0.5),
    "min_p": dict(extra_body={"min_p": 0.1}),
    "repetition_penalty": dict(extra_body={"repetition_penalty": 1.1}),
    "temperature": dict(temperature=1.5),
    "top_p": dict(temperature=0.5, top_p=0.5),
    "verbosity": dict(verbosity="low"),
    "response_format": dict(response_format={"type": "json_object"}),
    "context_length_exceeded_behavior": dict(extra_body={"context_length_exceeded_behavior": "error"}),
    "separate_reasoning": dict(extra_body={"separate_reasoning": False}),
    "reasoning_effort": dict(reasoning_effort="low", max_completion_tokens=1024),
    "messages[0].name": dict(messages=[{"role": "user", "name": "n", "content": "hi"}]),
}


def usage(told):
    prompt, completion = told.prompt_tokens_details, told.completion_tokens_details
    return {
        "prompt": told.prompt_tokens,
        "cached": prompt.cached_tokens,
        "written": prompt.cache_write_tokens,
        "completion": told.completion_tokens,
        "reasoning": completion.reasoning_tokens,
    }


def plain(case):
    answer = client.chat.completions.create(**case)
    choices = []
    for choice in answer.choices:
        message = choice.message
        calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []]
        thoughts = getattr(message, "reasoning_content", None) or ""
        choices.append(said(message.content or "", thoughts, calls, choice.finish_reason))
    return {"usage": usage(answer.usage), "choices": choices}


def said(text, thoughts, calls, finish):
    calls = [{"id": id, "name": name, "input": json.loads(arguments)} for id, name, arguments in calls]
    return {"text": text, "thinking": thoughts, "calls": calls, "finish": finish}


def streamed(case):
    count, told = case.get("n", 1), None
    texts, thoughts, finish = [""] * count, [""] * count, [None] * count
    calls = [[] for _ in range(count)]
    for chunk in client.chat.completions.create(**case, stream=True, stream_options={"include_usage": True}):
        told = chunk.usage or told
        for choice in chunk.choices:
            index, delta = choice.index, choice.delta
            texts[index] += delta.content or ""
            thoughts[index] += getattr(delta, "reasoning_content", None) or ""
            finish[index] = choice.finish_reason or finish[index]
            for piece in delta.tool_calls or []:
                if piece.index == len(calls[index]):
                    calls[index].append([piece.id, piece.function.name, ""])
                calls[index][piece.index][2] += piece.function.arguments or ""
    return {"usage": usage(told), "choices": [said(*choice) for choice in zip(texts, thoughts, calls, finish)]}


def ask(how, case):
    case = {"model": "claude", **case}
    # An upstream that is overloaded rests, and a key that is at its limit does for that model: each way to ask has one of
    # its own.
    if case["model"] in ("claude-busy", "claude-limited") and how is streamed:
        case["model"] += "-too"
    try:
        return how(case)
    except openai.APIStatusError as error:
        wait = error.response.headers.get("retry-after")
        return {"error": type(error).__name__, "status": error.status_code, "code": error.code, "wait": wait}
    except openai.APIError as error:
        return {"error": type(error).__name__, "code": error.code}


def refuse(name, case):
    try:
        client.chat.completions.create(**{"model": "claude", "messages": [user("messages-plain")], **case})
    except openai.BadRequestError as error:
        return [error.code, error.param]
    return None


print(
    json.dumps(
        {
            "answers": [ask(how, case) for case in CASES for how in (plain, streamed)],
            "refused": {name: refuse(name, case) for name, case in REFUSED.items()},
        }
    )
)
