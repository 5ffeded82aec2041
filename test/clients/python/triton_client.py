"""tritonclient of PyPI against a target service and a teacher, unchanged. Arguments: both addresses, both names."""

import sys

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

target, teacher, model, teacher_name = sys.argv[1:]


def texts(*values: str) -> InferInput:
    tensor = InferInput("text_input", [len(values)], "BYTES")
    tensor.set_data_from_numpy(np.array([value.encode() for value in values], dtype=object))
    return tensor


client = InferenceServerClient(target)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
assert not client.is_model_ready("another")
assert client.get_server_metadata().name == "fusemesh"
assert client.get_model_metadata(model).inputs[0].datatype == "BYTES"
prompts = texts("Fellow citizens of the Senate", "We are")
answer = client.infer(model, [prompts], parameters={"max_tokens": 8, "temperature": 0.5, "seed": 1}, request_id="7")
assert answer.get_response().id == "7"
written = [text.decode() for text in answer.as_numpy("text_output")]
assert len(written) == 2 and all(written)
assert answer.as_numpy("weights_step").tolist() == [0, 0]
try:
    client.infer(model, [prompts], parameters={"top_k": 3})
    raise AssertionError("a parameter that changes the answer was ignored")
except InferenceServerException as error:
    assert "top_k" in error.message()

client = InferenceServerClient(teacher)
assert client.is_model_ready(teacher_name)
answer = client.infer(teacher_name, [prompts])
log_probabilities = answer.as_numpy("token_log_probabilities")
np.testing.assert_allclose(-np.nansum(log_probabilities, axis=1), answer.as_numpy("cross_entropy"), rtol=1e-4)
assert answer.as_numpy("predicted_tokens").tolist() == [np.isfinite(row).sum() - 1 for row in log_probabilities]
wanted = [InferRequestedOutput("text_output")]
answer = client.infer(teacher_name, [prompts], outputs=wanted, parameters={"max_tokens": 4})
assert len(answer.as_numpy("text_output")) == 2

print(written)
