import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { type LabelledText, readTexts, type SkippedRow } from '../../texts/read-texts.ts';
import { splitText } from '../../texts/split-text.ts';

/**
 * The corpus of a run in pieces that fit the context of every tokenizer, the domains mixed.
 *
 * @param tokenizers of all models of the run
 * @param onSkipped called with each row that is left out
 * @throws FuseMeshError cancelled when aborted, invalid_argument where the corpus has no text
 */
export async function cutCorpus(
  { corpus, contextLength }: Pick<RunConfig, 'corpus' | 'contextLength'>,
  tokenizers: readonly Tokenizer[],
  signal: AbortSignal,
  onSkipped?: (row: SkippedRow) => void,
): Promise<LabelledText[]> {
  const pieces: LabelledText[] = [];
  for await (const { domain, text } of readTexts(corpus, { onSkipped })) {
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

/**
 * Pieces of text with the domains mixed in the proportion of their sizes, so that every stretch has something of
 * each; those of one domain stay in their order.
 */
export function mixDomains(pieces: readonly LabelledText[]): LabelledText[] {
  const names = [...new Set(pieces.map(({ domain }) => domain))];
  const domains = names.map((name) => ({ own: pieces.filter(({ domain }) => domain === name), taken: 0 }));
  return pieces.map(() => {
    const next = domains.reduce((least, each) => (shareTaken(each) < shareTaken(least) ? each : least));
    return next.own[next.taken++];
  });
}

function shareTaken({ own, taken }: { own: readonly unknown[]; taken: number }): number {
  return (taken + 0.5) / own.length;
}
