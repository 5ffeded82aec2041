import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { learnt } from '../../../model/chat/learning.ts';
import type { Prompt } from '../../../texts/prompt-content.ts';
import { readFilePrompts } from '../../../texts/read-prompts.ts';
import type { SkippedRow, TextEntry } from '../../../texts/read-texts.ts';
import { type CorpusFile, inOrder } from '../cut-corpus.ts';
import type { Readers } from './fit-completion.ts';

/** What prompts must fit with. */
export interface PromptRules extends Readers {
  /** [encoders] what the model that reads so is called, for messages: "target". */
  readonly names: readonly string[];
  /** Room that a completion needs, in tokens. */
  readonly maxNewTokens: number;
  /** Who may judge: names of the run's sources. */
  readonly judges: readonly string[];
  readonly signal: AbortSignal;
}

/** A prompt of a run. */
export interface ReadPrompt extends Prompt {
  readonly domain: string;
  /** [encoders] its length in tokens, with what stands before an answer. */
  readonly tokens: readonly number[];
}

/**
 * The prompts of a run in the order of entries, files and rows, and what was left out; each with room for its completion
 * in the context of every model.
 *
 * @param onRead called with how many bytes of the files, as they are on disk, were read
 * @throws FuseMeshError invalid_argument for a row that is no prompt, has no room, or names a teacher that the run does
 *   not have; cancelled when aborted
 */
export async function* readPrompts(
  files: readonly CorpusFile[],
  rules: PromptRules,
  onRead?: (read: number) => void,
): AsyncGenerator<{ readonly prompt: ReadPrompt } | { readonly skipped: SkippedRow }> {
  yield* inOrder(rowsOf(files, onRead), async (row) => {
    if (rules.signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while reading the prompts.');
    return 'skipped' in row ? row : checked(row, rules);
  });
}

interface PromptRow {
  readonly prompt: Prompt;
  readonly place: string;
  readonly entry: TextEntry;
}

async function* rowsOf(
  files: readonly CorpusFile[],
  onRead: ((read: number) => void) | undefined,
): AsyncGenerator<PromptRow | { readonly skipped: SkippedRow }> {
  let before = 0;
  for (const { path, entry, bytes } of files) {
    const skipped: SkippedRow[] = [];
    const options = {
      onSkipped: (row: SkippedRow) => skipped.push(row),
      onRead: (read: number) => onRead?.(before + read),
    };
    for await (const { content: prompt, place } of readFilePrompts(path, entry, options)) {
      for (const row of skipped.splice(0)) yield { skipped: row };
      yield { prompt, place, entry };
    }
    for (const row of skipped) yield { skipped: row };
    before += bytes;
    onRead?.(before);
  }
}

async function checked(
  { prompt, place, entry }: PromptRow,
  rules: PromptRules,
): Promise<{ readonly prompt: ReadPrompt } | { readonly skipped: SkippedRow }> {
  const { teacher } = prompt;
  if (teacher !== '' && !rules.judges.includes(teacher)) {
    throw new FuseMeshError(
      'invalid_argument',
      `${place} names the teacher "${teacher}", which the run does not have: it has ${rules.judges.join(', ')}.`,
    );
  }
  const isLeftOut = entry.invalid === 'skip';
  let tokens: readonly number[];
  try {
    tokens = await promptTokens(prompt, rules);
  } catch (error) {
    if (!(error instanceof FuseMeshError && error.code === 'invalid_argument')) throw error;
    const reason = error.message.replace(/\.$/, '');
    if (isLeftOut) return { skipped: { place, problem: 'refused by a chat template', reason } };
    throw new FuseMeshError(
      'invalid_argument',
      `${place} cannot be read by all models of the run. ${reason}: correct it, or leave such rows out with "invalid: skip".`,
      { cause: error },
    );
  }
  const { contextLength, maxNewTokens, names } = rules;
  const worst = tokens.indexOf(Math.max(...tokens));
  if (tokens[worst] + maxNewTokens <= contextLength) {
    return { prompt: { ...prompt, domain: entry.domain, tokens } };
  }
  if (isLeftOut) return { skipped: { place, problem: 'too long' } };
  throw new FuseMeshError(
    'invalid_argument',
    `${place} is too long a prompt: ${tokens[worst]} tokens of ${names[worst]} and onPolicy.maxNewTokens ${maxNewTokens} are more than contextLength ${contextLength}. Shorten it, change these, or leave such rows out with "invalid: skip".`,
  );
}

/** What stands in place of the completion that is not written yet: a template may refuse an empty one. */
const probe = 'Yes.';

/** [encoders] tokens of a prompt, with what the template puts before an answer. */
function promptTokens(
  { conversation: { turns, tools } }: Prompt,
  { encoders }: Readers,
): Promise<readonly number[]> {
  const role = turns[0].role === '' ? '' : 'assistant';
  const answered = { turns: [...turns, { role, content: probe, learnt: true, extras: '' }], tools };
  return Promise.all(
    encoders.map(async (encoder) => {
      const [tokenization] = await encoder.encodeBatch([answered]);
      const written = learnt(answered, tokenization)?.reduce((sum, isLearnt) => sum + isLearnt, 0) ?? 0;
      return tokenization.ids.length - written;
    }),
  );
}
