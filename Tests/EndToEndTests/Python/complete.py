"""Ten plain and ten streamed completions; prints what they said and the sum of what they used."""

import json

from openai import OpenAI

QUESTIONS = ["France", "Japan"]
client = OpenAI(max_retries=0)
texts, usages, ids = [], [], []


def take(usage):
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    usages.append((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))


for number in range(10):
    question = {
        "model": "demo",
        "temperature": 0,
        "messages": [
            {"role": "user", "content": f"What is the capital of {QUESTIONS[number % 2]}?"}
        ],
    }
    plain = client.chat.completions.create(**question)
    assert plain.object == "chat.completion" and plain.choices[0].finish_reason == "stop", plain
    assert plain.choices[0].message.role == "assistant", plain
    texts.append(plain.choices[0].message.content)
    ids.append(plain.id)
    take(plain.usage)

    text, finishes = "", []
    stream = client.chat.completions.create(
        **question, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        if chunk.usage is not None:
            assert not chunk.choices, chunk
            take(chunk.usage)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                finishes.append(choice.finish_reason)
    ids.append(chunk.id)
    assert finishes == ["stop"], finishes
    texts.append(text)

print(
    json.dumps(
        {
            "texts": texts,
            "ids": len(set(ids)),
            "requests": len(usages),
            "prompt_tokens": sum(usage[0] for usage in usages),
            "completion_tokens": sum(usage[1] for usage in usages),
            "total_tokens": sum(usage[2] for usage in usages),
        }
    )
)
