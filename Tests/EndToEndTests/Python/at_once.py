"""Twenty requests at once through the asynchronous client; prints how many were answered rightly."""

import asyncio
import json

from openai import AsyncOpenAI


async def ask(client, number):
    question = [{"role": "user", "content": "What is the capital of France?"}]
    if number % 2:
        answer = await client.chat.completions.create(
            model="demo", temperature=0, messages=question
        )
        return answer.choices[0].message.content
    stream = await client.chat.completions.create(
        model="demo", temperature=0, messages=question, stream=True
    )
    return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])


async def main():
    async with AsyncOpenAI(max_retries=0) as client:
        answers = await asyncio.gather(*[ask(client, number) for number in range(20)])
    print(json.dumps({"right": sum("Paris" in answer for answer in answers)}))


asyncio.run(main())
