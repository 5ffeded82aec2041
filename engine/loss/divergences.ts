import { add, exp, greaterOrEqual, log, mul, neg, sub, sum, where } from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';

/** How the target's distribution Q is drawn towards the fused one, P. */
export type Divergence =
  | { readonly kind: 'ce' }
  | { readonly kind: 'reverseKL' }
  /** P has one candidate at most, the token that the target drew itself. */
  | { readonly kind: 'policyGradient' }
  | {
      readonly kind: 'jsd';
      /** β, 0 to 1: near 0 as the forward divergence KL(P‖Q), near 1 as the reverse one. */
      readonly beta: number;
    };

/** P and Q on the candidates of P; all other tokens together are one bucket, the tail. */
export interface SparsePair {
  /** [rows, K] P; 0 in unused columns. */
  readonly fused: Value;
  /** [rows, 1] P of the tail. */
  readonly fusedTail: Value;
  /** [rows, K] log Q of the same tokens. */
  readonly logTarget: Value;
}

/** Least probability in a logarithm, so that it is finite. */
const LEAST = 1e-6;

/** Below every probability of a used column, and still a float32. */
const LEAST_USED = 1e-37;

const atLeast = (x: Value, least: number): Value => where(greaterOrEqual(x, least), x, least);
const sumOfRow = (x: Value): Value => sum(x, [-1], { keepAxes: true });

/** One number a row, [rows, 1], in nats. */
export function divergence(kind: Divergence, pair: SparsePair): Value {
  const { fused, fusedTail, logTarget } = pair;
  const isUsed = greaterOrEqual(fused, LEAST_USED);
  const target = where(isUsed, exp(logTarget), 0);
  const left = atLeast(sub(1, sumOfRow(target)), LEAST);
  const tail = { p: atLeast(fusedTail, LEAST), q: left, logQ: log(left) };
  // FuseLLM, equation 5: the tail counts with just the mass that P gives it, none where P is renormalised.
  if (kind.kind === 'ce') return neg(add(sumOfRow(mul(fused, logTarget)), mul(fusedTail, tail.logQ)));

  if (kind.kind === 'policyGradient') return sumOfRow(where(isUsed, squaredLogRatio(fused, logTarget), 0));

  const used = { p: where(isUsed, atLeast(fused, LEAST), 1), q: target, logQ: where(isUsed, logTarget, 0) };
  const term = kind.kind === 'reverseKL' ? reverseKL : jensenShannon(kind.beta);
  return add(sumOfRow(where(isUsed, term(used), 0)), term(tail));
}

/**
 * ½·(log Q − log P)² of a token that Q drew. Its gradient is −(log P − log Q)·∇log Q: reinforcement with the log-ratio as
 * reward, whose mean over Q's draws is the gradient of KL(Q‖P) at this token (Gu et al. 2023, MiniLLM, arXiv 2306.08543,
 * section 2.2, its single-step part; Lu et al. 2025, On-Policy Distillation; that the square has this gradient: Tang and
 * Munos 2025, arXiv 2506.09477). What the token does to later ones is left out. P below {@link LEAST} is LEAST, which
 * bounds the reward; a draw by older weights, at another temperature or from a part of Q is taken as one of Q.
 */
const squaredLogRatio = (fused: Value, logTarget: Value): Value => {
  const logRatio = sub(logTarget, log(atLeast(fused, LEAST)));
  return mul(mul(logRatio, logRatio), 0.5);
};

interface Bucket {
  readonly p: Value;
  readonly q: Value;
  readonly logQ: Value;
}

/** KL(Q‖P) = Σ q·log(q / p). */
const reverseKL = ({ p, q, logQ }: Bucket): Value => mul(q, sub(logQ, log(p)));

/** β·KL(P‖M) + (1 − β)·KL(Q‖M) with M = β·P + (1 − β)·Q (Agarwal et al. 2023, GKD, equation 1). */
const jensenShannon =
  (beta: number) =>
  ({ p, q, logQ }: Bucket): Value => {
    const logM = log(add(mul(p, beta), mul(q, 1 - beta)));
    const toP = mul(mul(p, sub(log(p), logM)), beta);
    return add(toP, mul(mul(q, sub(logQ, logM)), 1 - beta));
  };
