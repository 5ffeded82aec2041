import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import type { TextLoss } from '../../texts/bits-per-byte.ts';
import type { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { Client } from '../../wire/grpc/client.ts';
import type { PieceLoss } from './text-evaluation.ts';

export interface ScoringOptions {
  readonly signal: AbortSignal;
  /** Called with how many texts or questions have been scored since the last call. */
  readonly onScored?: ((count: number) => void) | undefined;
}

/** @throws FuseMeshError cancelled when aborted */
export function refuseStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while evaluating.');
}

/** Texts of one batch that this process scores. */
const batchTexts = 8;
/** Score calls in flight to one teacher. */
const callsInFlight = 4;

/** Loss of each text under a teacher that runs. */
export async function scoreByTeacher(
  client: Pick<Client<typeof TeacherService>, 'score'>,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<TextLoss[]> {
  const losses: TextLoss[] = new Array(texts.length);
  let next = 0;
  const call = async () => {
    while (next < texts.length) {
      const i = next++;
      const { distribution } = await client.score({ text: texts[i], topK: 1 }, { signal });
      losses[i] = {
        crossEntropy: distribution?.crossEntropy ?? 0,
        predictedBytes: distribution?.predictedBytes ?? 0,
      };
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, call));
  return losses;
}

/** Loss of each text under a model on disk. */
export async function scoreByModel(
  directory: string,
  texts: readonly string[],
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<TextLoss[]> {
  const scorer = await Scorer.load(directory, { topK: 1, threads });
  try {
    return await scoreByScorer(scorer, texts, { signal });
  } finally {
    await scorer.close();
  }
}

/**
 * Loss of each text under a model in memory.
 *
 * @throws FuseMeshError cancelled when aborted
 */
export async function scoreByScorer(
  scorer: Scorer,
  texts: readonly string[],
  { signal, onScored }: ScoringOptions,
): Promise<PieceLoss[]> {
  const losses: PieceLoss[] = [];
  for (let begin = 0; begin < texts.length; begin += batchTexts) {
    refuseStopped(signal);
    const scored = await scorer.score(texts.slice(begin, begin + batchTexts));
    for (const { crossEntropy, predictedTokens, predictedBytes } of scored) {
      losses.push({ crossEntropy, predictedTokens, predictedBytes });
    }
    onScored?.(scored.length);
  }
  return losses;
}
