import type { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import { SkippedRows } from '../../../texts/skipped-rows.ts';
import { findCorpusFiles } from '../cut-corpus.ts';
import { noPrompt } from '../no-text.ts';
import { RolloutPlan } from './plan.ts';
import { type OnPolicyRun, promptRules } from './prompt-rules.ts';
import { readPrompts } from './read-prompts.ts';

/** What the target of a run would be asked. */
export interface PromptCount {
  readonly files: number;
  readonly prompts: number;
  /** Documents of the run, and those of them that the target writes. */
  readonly documents: number;
  readonly rollouts: number;
  readonly skipped: SkippedRows;
  /** [encoders] of all prompts together, with what stands before an answer. */
  readonly tokens: readonly number[];
  /** [encoders] of the longest. */
  readonly longest: readonly number[];
  /** Prompts that name a teacher, by its name. */
  readonly judges: ReadonlyMap<string, number>;
}

/**
 * Reads the prompts of a run as its feeder does, and keeps nothing of them but counts.
 *
 * @param corpus documents of the corpus
 * @throws FuseMeshError as {@link readPrompts}, and invalid_argument where there is none
 */
export async function countPrompts(
  config: OnPolicyRun,
  encoders: readonly ContentEncoder[],
  { corpus, signal }: { readonly corpus: number; readonly signal: AbortSignal },
): Promise<PromptCount> {
  const { onPolicy, trainer, seed } = config;
  const files = await findCorpusFiles(onPolicy.prompts);
  const skipped = new SkippedRows();
  const tokens = encoders.map(() => 0);
  const longest = encoders.map(() => 0);
  const judges = new Map<string, number>();
  let prompts = 0;
  for await (const read of readPrompts(files, promptRules(config, encoders, signal))) {
    if ('skipped' in read) {
      skipped.add(read.skipped);
      continue;
    }
    prompts++;
    const { teacher, tokens: own } = read.prompt;
    if (teacher !== '') judges.set(teacher, (judges.get(teacher) ?? 0) + 1);
    for (const [i, count] of own.entries()) {
      tokens[i] += count;
      longest[i] = Math.max(longest[i], count);
    }
  }
  if (prompts === 0) throw noPrompt(skipped);
  const { share, perPrompt, staleness } = onPolicy;
  const { batchDocuments, steps } = trainer;
  const plan = new RolloutPlan({ corpus, prompts, share, perPrompt, staleness, batchDocuments, steps, seed });
  const { documents, rollouts } = plan;
  return { files: files.length, prompts, documents, rollouts, skipped, tokens, longest, judges };
}
