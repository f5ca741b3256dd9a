"""Streams one answer with an official SDK and prints its texts, piece by piece, as a JSON list.

    stream.py openai|openai-async|openai-responses|anthropic|anthropic-async|gemini|gemini-async BASE_URL ACCESS_KEY
"""

import asyncio
import json
import sys

# Each run imports the one SDK that it needs, for they take seconds.
MESSAGES = [{"role": "user", "content": "quiet"}]


def openai_text(chunk):
    return chunk.choices[0].delta.content if chunk.choices else None


def by_openai(base_url, key):
    import openai

    client = openai.OpenAI(api_key=key, base_url=base_url + "/v1")
    return [openai_text(c) for c in client.chat.completions.create(model="gpt-a", stream=True, messages=MESSAGES)]


async def by_openai_async(base_url, key):
    import openai

    client = openai.AsyncOpenAI(api_key=key, base_url=base_url + "/v1")
    stream = await client.chat.completions.create(model="gpt-a", stream=True, messages=MESSAGES)
    return [openai_text(c) async for c in stream]


def by_openai_responses(base_url, key):
    import openai

    client = openai.OpenAI(api_key=key, base_url=base_url + "/v1")
    stream = client.responses.create(model="gpt-a", stream=True, input="quiet")
    return [e.delta for e in stream if e.type == "response.output_text.delta"]


def by_anthropic(base_url, key):
    import anthropic

    client = anthropic.Anthropic(api_key=key, base_url=base_url)
    with client.messages.stream(model="claude-a", max_tokens=10, messages=MESSAGES) as stream:
        return list(stream.text_stream)


async def by_anthropic_async(base_url, key):
    import anthropic

    client = anthropic.AsyncAnthropic(api_key=key, base_url=base_url)
    async with client.messages.stream(model="claude-a", max_tokens=10, messages=MESSAGES) as stream:
        return [text async for text in stream.text_stream]


def by_gemini(base_url, key):
    from google import genai

    client = genai.Client(api_key=key, http_options={"base_url": base_url})
    return [c.text for c in client.models.generate_content_stream(model="gemini-a", contents="quiet")]


async def by_gemini_async(base_url, key):
    from google import genai

    client = genai.Client(api_key=key, http_options={"base_url": base_url})
    stream = await client.aio.models.generate_content_stream(model="gemini-a", contents="quiet")
    return [c.text async for c in stream]


def main():
    how, base_url, key = sys.argv[1:]
    pieces = globals()["by_" + how.replace("-", "_")](base_url, key)
    if asyncio.iscoroutine(pieces):
        pieces = asyncio.run(pieces)
    print(json.dumps([piece for piece in pieces if piece]))


if __name__ == "__main__":
    main()
