import { hash } from 'node:crypto';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { meanDifference, mostDifference } from '../../../wire/codec/probe-difference.ts';
import type { GetModelCardResponse } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';

/** What tells a source's model from another one. */
export interface SourceModel {
  /** In hexadecimal, like the model's. */
  readonly tokenizerFingerprint: string;
  readonly modelFingerprint: string;
  /** SHA-256 of its chat template. */
  readonly templateFingerprint: string;
  /**
   * Natural log-probabilities that a server gave the tokens of texts which are always the same. Empty where the model
   * is in the teacher's own process: its fingerprint is of its weights.
   */
  readonly probe: readonly number[];
  /** Version of that server's program. */
  readonly serverVersion: string;
}

/** @throws FuseMeshError failed_precondition where the card's values are no log-probabilities */
export function modelOf(card: GetModelCardResponse): SourceModel {
  const probe = card.probeLogProbabilities;
  if (!probe.every(Number.isFinite)) {
    throw new FuseMeshError('failed_precondition', 'its model card has a probe that is not finite');
  }
  return {
    tokenizerFingerprint: hex(card.tokenizerFingerprint),
    modelFingerprint: hex(card.modelFingerprint),
    templateFingerprint: hash('sha256', card.chatFormat?.template ?? ''),
    probe,
    serverVersion: card.serverVersion,
  };
}

/** What of a source's model is not as it was, in words; undefined where it is the same one. */
export function whatIsOther(before: SourceModel, now: SourceModel): string | undefined {
  if (before.tokenizerFingerprint !== now.tokenizerFingerprint) return 'tokenizer is another one';
  if (before.templateFingerprint !== now.templateFingerprint) return 'chat template is another one';
  if (before.modelFingerprint !== now.modelFingerprint) return 'model is another one';
  const apart = meanDifference(before.probe, now.probe);
  if (apart <= mostDifference) return undefined;
  return Number.isFinite(apart)
    ? `model is another one (its log-probabilities are ${apart.toFixed(3)} nats apart in the mean)`
    : 'model was probed with other texts';
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
