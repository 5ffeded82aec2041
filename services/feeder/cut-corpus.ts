import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { type LabelledText, readTexts } from '../../texts/read-texts.ts';
import { splitText } from '../../texts/split-text.ts';
import { mixDomains } from './corpus-documents.ts';

/**
 * The corpus of a run in pieces that fit the context of every tokenizer, the domains mixed.
 *
 * @param tokenizers of all models of the run
 * @throws FuseMeshError cancelled when aborted, invalid_argument where the corpus has no text
 */
export async function cutCorpus(
  { corpus, contextLength }: Pick<RunConfig, 'corpus' | 'contextLength'>,
  tokenizers: readonly Tokenizer[],
  signal: AbortSignal,
): Promise<LabelledText[]> {
  const pieces: LabelledText[] = [];
  for await (const { domain, text } of readTexts(corpus)) {
    if (signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while cutting the corpus.');
    for (const piece of await splitText(text, tokenizers, contextLength)) {
      pieces.push({ domain, text: piece });
    }
  }
  if (pieces.length === 0) {
    throw new FuseMeshError(
      'invalid_argument',
      'The corpus has no text: every file that corpus names is empty.',
    );
  }
  return mixDomains(pieces);
}
