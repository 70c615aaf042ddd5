"""Provokes one error after the other; prints the package's exception class, status, code and param for each."""

import json

import openai

client = openai.OpenAI(max_retries=0)
HELLO = [{"role": "user", "content": "Hello"}]


def provoke(body, using=client):
    try:
        using.chat.completions.create(**{"model": "scripted", "messages": HELLO, **body})
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "request_id": error.request_id,
        }
    return {"class": None}


print(
    json.dumps(
        {
            "key": provoke({}, openai.OpenAI(max_retries=0, api_key="sk-wrong")),
            "model": provoke({"model": "nobody"}),
            "temperature": provoke({"temperature": 3}),
            "messages": provoke({"messages": []}),
            "store": provoke({"store": True}),
            "served": provoke({}),
            "quota": provoke({}),
        }
    )
)
