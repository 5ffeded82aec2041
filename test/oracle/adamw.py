"""Golden files of AdamW with clipping by global norm, from PyTorch.

Run: python test/oracle/adamw.py   (torch 2.13, safetensors)
Writes test/golden-adamw/NAME.safetensors for both of PyTorch's ways (foreach or tensor by tensor; float32):
  start:TENSOR, gradients:TENSOR [STEPS, its shape], norms [STEPS] before clipping
  weights:TENSOR, first_moments:TENSOR, second_moments:TENSOR [STEPS, its shape] after every step
Tensors of one dimension are not decayed. The gradients' scales go from 1e-8 to 1e3, so that steps with and without
clipping follow each other; a column has no gradient, so that epsilon counts.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

GOLDEN = Path(__file__).parent.parent / "golden-adamw"
STEPS, LEARNING_RATE, BETAS, DECAY, CLIP = 20, 1e-2, (0.9, 0.95), 0.1, 1.0
SHAPES = {"matrix": (7, 31), "norm": (33,), "column": (2, 64), "bias": (1,)}
SCALES = [1e-3, 1.0, 1e-8, 30.0, 1e-2, 1e-5, 1e3, 1e-6, 1e-1, 1e-4]
WAYS = {"single-tensor": False, "foreach": True}


def main():
    GOLDEN.mkdir(exist_ok=True)
    for name, foreach in WAYS.items():
        torch.manual_seed(1)
        start = {tensor: torch.randn(shape) * 2 for tensor, shape in SHAPES.items()}
        scales = [SCALES[step % len(SCALES)] for step in range(STEPS)]
        gradients = {
            tensor: torch.stack([torch.randn(shape) * scale for scale in scales]) for tensor, shape in SHAPES.items()
        }
        gradients["matrix"][:, :, 3] = 0
        parameters = {tensor: torch.nn.Parameter(value.clone()) for tensor, value in start.items()}
        optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": DECAY},
                {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0},
            ],
            lr=LEARNING_RATE, betas=BETAS, foreach=foreach,
        )
        after = {f"{what}:{tensor}": [] for what in ("weights", "first_moments", "second_moments") for tensor in SHAPES}
        norms = []
        for step in range(STEPS):
            for tensor, parameter in parameters.items():
                parameter.grad = gradients[tensor][step].clone()
            norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), CLIP, foreach=foreach))
            optimizer.step()
            for tensor, parameter in parameters.items():
                state = optimizer.state[parameter]
                after[f"weights:{tensor}"].append(parameter.detach().clone())
                after[f"first_moments:{tensor}"].append(state["exp_avg"].clone())
                after[f"second_moments:{tensor}"].append(state["exp_avg_sq"].clone())
        expected = {"norms": torch.stack(norms)}
        expected |= {f"start:{tensor}": value for tensor, value in start.items()}
        expected |= {f"gradients:{tensor}": value for tensor, value in gradients.items()}
        expected |= {key: torch.stack(values) for key, values in after.items()}
        save_file(expected, GOLDEN / f"{name}.safetensors")


if __name__ == "__main__":
    main()
