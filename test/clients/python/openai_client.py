"""The openai package of PyPI against a target service, unchanged. Arguments: base URL, model."""

import sys

import openai

base_url, model = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)

assert [one.id for one in client.models.list()] == [model]
asked = {"model": model, "temperature": 0, "max_tokens": 8}

completion = client.completions.create(prompt="Fellow citizens of the Senate", logprobs=2, **asked)
[choice] = completion.choices
assert completion.usage.completion_tokens == 8
assert "".join(choice.logprobs.tokens) == choice.text

messages = [{"role": "user", "content": "How is the Union?"}]
answer = client.chat.completions.create(messages=messages, logprobs=True, top_logprobs=2, **asked)
text = answer.choices[0].message.content
assert "".join(one.token for one in answer.choices[0].logprobs.content) == text

stream = client.chat.completions.create(messages=messages, stream=True, stream_options={"include_usage": True}, **asked)
chunks = list(stream)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
assert chunks[-1].usage == answer.usage

try:
    client.completions.create(prompt="We", **{**asked, "model": "gpt-4"})
    raise AssertionError("another model was served")
except openai.NotFoundError as error:
    assert error.code == "model_not_found"

print(completion.system_fingerprint)
