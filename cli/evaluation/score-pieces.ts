import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { type LearntLoss, learntLoss } from '../../model/chat/learnt-loss.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import type { TextLoss } from '../../texts/bits-per-byte.ts';
import { decodeTextDistribution } from '../../wire/codec/decode-text-distribution.ts';
import type { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { Client } from '../../wire/grpc/client.ts';

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

/** Loss of each text or conversation, on what is learnt, under a teacher that runs. */
export async function scoreByTeacher(
  client: Pick<Client<typeof TeacherService>, 'score'>,
  contents: readonly Content[],
  signal: AbortSignal,
): Promise<TextLoss[]> {
  const losses: TextLoss[] = new Array(contents.length);
  let next = 0;
  const call = async () => {
    while (next < contents.length) {
      const i = next++;
      losses[i] = await scoreOne(client, contents[i], signal);
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, call));
  return losses;
}

async function scoreOne(
  client: Pick<Client<typeof TeacherService>, 'score'>,
  content: Content,
  signal: AbortSignal,
): Promise<TextLoss> {
  const isText = typeof content === 'string';
  const asked = isText
    ? { text: content }
    : { turns: content.turns.map((turn) => ({ ...turn })), tools: content.tools };
  const { distribution } = await client.score({ ...asked, topK: 1 }, { signal });
  if (distribution === undefined) return { crossEntropy: 0, predictedBytes: 0 };
  if (isText) {
    const { crossEntropy, predictedBytes } = distribution;
    return { crossEntropy, predictedBytes };
  }
  const scored = decodeTextDistribution(distribution);
  return learntLoss(
    content,
    scored,
    scored.tokenLogProbabilities.map((value) => -value),
  );
}

/** Loss of each text or conversation, on what is learnt, under a model on disk. */
export async function scoreByModel(
  { directory, encoder }: { readonly directory: string; readonly encoder: ContentEncoder },
  contents: readonly Content[],
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<TextLoss[]> {
  const scorer = await Scorer.load(directory, { topK: 1, threads });
  try {
    return await scoreByScorer(scorer, encoder, contents, { signal });
  } finally {
    await scorer.close();
  }
}

/**
 * Loss of each text or conversation, on what is learnt, under a model in memory.
 *
 * @throws FuseMeshError cancelled when aborted
 */
export async function scoreByScorer(
  scorer: Scorer,
  encoder: ContentEncoder,
  contents: readonly Content[],
  { signal, onScored }: ScoringOptions,
): Promise<LearntLoss[]> {
  const losses: LearntLoss[] = [];
  for (let begin = 0; begin < contents.length; begin += batchTexts) {
    refuseStopped(signal);
    const batch = contents.slice(begin, begin + batchTexts);
    const tokenizations = await encoder.encodeBatch(batch);
    const scored = await scorer.scoreTokens(tokenizations.map(({ ids }) => ids));
    for (const [i, content] of batch.entries()) {
      const crossEntropies = scored[i].map((value) => -value);
      losses.push(learntLoss(content, tokenizations[i], crossEntropies));
    }
    onScored?.(batch.length);
  }
  return losses;
}
