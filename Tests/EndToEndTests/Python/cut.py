"""Closes a stream after three pieces of text; prints them."""

import json
import sys

from openai import OpenAI

stream = OpenAI(max_retries=0).chat.completions.create(
    model=sys.argv[1],
    messages=[{"role": "user", "content": sys.argv[2]}],
    stream=True,
    max_tokens=400,
)
pieces = []
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        pieces.append(chunk.choices[0].delta.content)
    if len(pieces) == 3:
        break
stream.close()
print(json.dumps({"pieces": pieces}))
