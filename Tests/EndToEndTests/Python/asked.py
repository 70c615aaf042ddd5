"""What the clients' programs ask: the same questions, and the same tool in plain JSON."""

QUESTION = [{"role": "user", "content": "What is the capital of Japan?"}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
