"""Golden file of the fusion losses on a sparse target and their gradients, from PyTorch's autograd in float64.

Run: python test/oracle/losses.py   (torch 2.13, safetensors)
Writes test/golden-losses/losses.safetensors:
  logits [N, V]; labels [N], -1 where nothing is to be learnt
  fused_ids [N, K], distinct in a row; fused_probabilities [N, K], 0 where the column is unused
  fused_tail [N]: 1 - sum of the row's probabilities; 0 where the row has no used candidate
  lambda [1], betas [2]
and for each LOSS of ce, reverse_kl, jsd:0 and jsd:1 (with betas[0] and betas[1]):
  value:LOSS [1]: lambda * causal + (1 - lambda) * fusion, means over the tokens with a label
  parts:LOSS [2]: causal, fusion
  gradient:LOSS [N, V]: of the value by the logits
  drawn_probabilities [N]: of the label under P; 0 where that is unknown
  value:, parts: and gradient:policy_gradient: the same of these alone

P is the fused distribution, Q = softmax(logits), the model that learns. Each has one number for every used candidate
and, in reverse_kl and jsd, one for all other ids together, the tail: p_tail = 1 - sum p, q_tail = 1 - sum q.
  ce           -sum p log q over the used candidates, without tail (FuseLLM)
  reverse_kl   KL(Q || P) = sum q (log q - log p)
  jsd          beta KL(P || M) + (1 - beta) KL(Q || M), M = beta P + (1 - beta) Q
  policy_gradient  of the label alone, where its p is known: (log q - log p)^2 / 2. The gradient written down is that of
               reinforcement, -(log p - log q) as a constant times the gradient of log q; it must be the value's own.
jsd is Agarwal et al. 2023 (GKD), equation 1 with P the teacher, and generalized_jsd_loss of TRL: beta is the share of the
teacher in M and the weight of KL(teacher || M); as beta goes to 0, jsd / beta goes to KL(P || Q), and as it goes to 1,
jsd / (1 - beta) to KL(Q || P). (At 0 and 1 themselves TRL gives these two.)
Probabilities of P, Q below LEAST are LEAST, before anything is computed of them (in policy_gradient those of P alone). A clamped q has no gradient.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

GOLDEN = Path(__file__).parent.parent / "golden-losses"
N, V, K = 12, 23, 4
LEAST, LAMBDA, BETAS = 1e-6, 0.3, (0.1, 0.7)


def buckets(logits, ids, probabilities):
    """P and Q [N, K + 1] of the used candidates and the tail, and which of the columns are used."""
    used = probabilities > 0
    p = torch.cat([probabilities, 1 - probabilities.sum(-1, keepdim=True)], -1)
    q = logits.softmax(-1).gather(-1, ids) * used
    q = torch.cat([q, 1 - q.sum(-1, keepdim=True)], -1)
    used = torch.cat([used, used.any(-1, keepdim=True)], -1)
    return p.clamp(min=LEAST), q.clamp(min=LEAST), used


def kl(a, b, used):
    return torch.where(used, a * (a / b).log(), 0).sum(-1)


def cross_entropy(logits, ids, probabilities):
    return -(probabilities * logits.log_softmax(-1).gather(-1, ids)).sum(-1)


def reverse_kl(logits, ids, probabilities):
    p, q, used = buckets(logits, ids, probabilities)
    return kl(q, p, used)


def jsd(beta):
    def divergence(logits, ids, probabilities):
        p, q, used = buckets(logits, ids, probabilities)
        m = beta * p + (1 - beta) * q
        return beta * kl(p, m, used) + (1 - beta) * kl(q, m, used)

    return divergence


def policy_gradient(logits, labels, probabilities):
    q = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[:, None])[:, 0]
    advantage = probabilities.clamp(min=LEAST).log() - q
    known = probabilities > 0
    return torch.where(known, advantage**2 / 2, 0), torch.where(known, -advantage.detach() * q, 0)


def targets():
    """Rows with all candidates and with some, a row without any, rows with little and with no tail."""
    ids = torch.stack([torch.randperm(V)[:K] for _ in range(N)])
    probabilities = torch.rand(N, K, dtype=torch.float64)
    probabilities *= torch.linspace(0.3, 0.95, N, dtype=torch.float64)[:, None] / probabilities.sum(-1, keepdim=True)
    probabilities[1, 3] = probabilities[4, 0] = 0
    probabilities[6, 1:] = 0
    probabilities[3] = 0
    probabilities[8] /= probabilities[8].sum()
    probabilities[9] = torch.tensor([1 - 3e-7, 1e-7, 1e-7, 1e-7], dtype=torch.float64)
    # As a float32 reader will have them.
    return ids, probabilities.float().double()


def main():
    torch.manual_seed(3)
    logits = torch.randn(N, V, dtype=torch.float64) * 2
    ids, probabilities = targets()
    logits[5, ids[5]] += 30  # a tail of the model's own below LEAST
    logits[7, ids[7, 2]] -= 30  # a candidate that the model holds for all but impossible
    logits = logits.float().double()
    labels = torch.randint(0, V, (N,))
    labels[[2, N - 1]] = -1
    real = labels >= 0
    losses = {"ce": cross_entropy, "reverse_kl": reverse_kl} | {f"jsd:{i}": jsd(beta) for i, beta in enumerate(BETAS)}
    used = (probabilities > 0).any(-1)
    expected = {
        "logits": logits, "labels": labels, "fused_ids": ids, "fused_probabilities": probabilities,
        "fused_tail": torch.where(used, 1 - probabilities.sum(-1), 0).clamp(min=0),
        "lambda": torch.tensor([LAMBDA]), "betas": torch.tensor(BETAS),
    }
    for name, loss in losses.items():
        trained = logits.clone().requires_grad_()
        causal = torch.nn.functional.cross_entropy(trained[real], labels[real])
        fusion = loss(trained, ids, probabilities)[real].sum() / real.sum()
        value = LAMBDA * causal + (1 - LAMBDA) * fusion
        value.backward()
        expected |= {
            f"value:{name}": value.detach().reshape(1),
            f"parts:{name}": torch.stack([causal, fusion]).detach(),
            f"gradient:{name}": trained.grad,
        }
    drawn = (torch.rand(N, dtype=torch.float64) * (torch.arange(N) % 4 != 1)).float().double()
    drawn[3] = 1e-9
    gradients = []
    for form in (0, 1):
        trained = logits.clone().requires_grad_()
        causal = torch.nn.functional.cross_entropy(trained[real], labels[real])
        fusion = policy_gradient(trained, labels, drawn)[form][real].sum() / real.sum()
        value = LAMBDA * causal + (1 - LAMBDA) * fusion
        value.backward()
        gradients.append(trained.grad)
        if form == 0:
            expected |= {
                "value:policy_gradient": value.detach().reshape(1),
                "parts:policy_gradient": torch.stack([causal, fusion]).detach(),
            }
    assert torch.allclose(*gradients, rtol=1e-12, atol=1e-12)
    expected |= {"drawn_probabilities": drawn, "gradient:policy_gradient": gradients[1]}
    GOLDEN.mkdir(exist_ok=True)
    save_file(
        {key: value.to(torch.float32 if value.is_floating_point() else torch.int32).contiguous() for key, value in expected.items()},
        GOLDEN / "losses.safetensors",
    )


if __name__ == "__main__":
    main()
