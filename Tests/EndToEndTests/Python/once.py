"""One completion under an Idempotency-Key: NAME PROMPT plain|stream RETRIES. Prints what came of it; 'begun' to stderr
once the first text is here."""

import json
import sys

import openai

name, prompt, form, retries = sys.argv[1:5]
streams = form == "stream"
told = {"class": None, "text": ""}


def take(text):
    if text and not told["text"]:
        print("begun", file=sys.stderr, flush=True)
    told["text"] += text or ""


try:
    raw = openai.OpenAI(max_retries=int(retries)).chat.completions.with_raw_response.create(
        model="scripted",
        messages=[{"role": "user", "content": prompt}],
        stream=streams,
        extra_headers={"Idempotency-Key": name},
    )
    told["status"] = raw.status_code
    told["request_id"] = raw.headers["x-request-id"]
    told["replayed"] = raw.headers.get("idempotent-replayed")
    answer = raw.parse()
    if streams:
        for chunk in answer:
            told["id"] = chunk.id
            for choice in chunk.choices:
                take(choice.delta.content)
    else:
        told["id"] = answer.id
        take(answer.choices[0].message.content)
except openai.APIStatusError as error:
    told["class"] = type(error).__name__
    told["status"], told["code"] = error.status_code, error.code
    told["first"] = error.body.get("first_request_id")
    told["end"] = error.body.get("first_end_state")
    told["usage"] = error.body.get("usage")
except Exception as error:  # the connection was lost, in whatever the transport calls it
    told["class"] = type(error).__name__
print(json.dumps(told))
