"""llm, with the gateway's model in its extra-openai-models.yaml; prints what came."""

import json
import os
import pathlib
import tempfile

folder = tempfile.TemporaryDirectory()
os.environ["LLM_USER_PATH"] = folder.name
pathlib.Path(folder.name, "extra-openai-models.yaml").write_text(
    f"""
- model_id: turnpike
  model_name: demo
  api_base: {os.environ["OPENAI_BASE_URL"]}
  api_key_name: turnpike
  supports_schema: true
  supports_tools: true
"""
)
pathlib.Path(folder.name, "keys.json").write_text(
    json.dumps({"turnpike": os.environ["OPENAI_API_KEY"]})
)
import llm

QUESTION = "What is the capital of Japan?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Tokyo", "Paris"]}},
    "required": ["city"],
    "additionalProperties": False,
}


def get_weather(city: str) -> str:
    """Get the weather"""
    calls.append(city)
    return "sunny"


calls = []
model = llm.get_model("turnpike")
plain = model.prompt(QUESTION, temperature=0, stream=False)
text = plain.text()
usage = plain.usage()
pieces = list(model.prompt(QUESTION, temperature=0))
assert len(pieces) > 1, pieces
chain = model.chain(
    "What is the weather in Paris?", tools=[get_weather], options={"temperature": 0}
)
print(
    json.dumps(
        {
            "plain": text,
            "tokens": [usage.input, usage.output],
            "streamed": "".join(pieces),
            "schema": json.loads(model.prompt(QUESTION, schema=SCHEMA, temperature=0).text())["city"],
            "told": chain.text(),
            "call": calls[0],
        }
    )
)
