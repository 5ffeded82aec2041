import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UsableDocument } from '../../fusion/batch/joined-document.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

export const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const teachers = ['orator', 'novelist', 'engineer'];
const charactersOfDocument = 500;

/** Documents of fiction with three teachers' distributions of them, and all the tokenizers. */
export async function zooDocuments({ documents, topK }: { documents: number; topK: number }) {
  const text = await readFile(join(zoo, 'corpus', 'fiction.txt'), 'utf8');
  const texts = Array.from({ length: documents }, (_, i) =>
    text.slice(i * charactersOfDocument, (i + 1) * charactersOfDocument),
  );
  const sources = await Promise.all(
    teachers.map(async (teacher) => {
      const scorer = await Scorer.load(join(zoo, teacher), { topK, threads: 1 });
      const { tokenizer } = scorer;
      const origin = { document: 0, teacher, tokenizerFingerprint: tokenizer.fingerprint };
      const scored = (await scorer.score(texts)).map((one) => ({ ...one, ...origin }));
      await scorer.close();
      return { teacher, tokenizer, scored };
    }),
  );
  const joined = texts.map(
    (text, number): UsableDocument => ({
      number,
      content: text,
      distributions: sources.map(({ scored }) => scored[number]),
    }),
  );
  return { joined, sources, target: await Tokenizer.fromFile(join(zoo, 'target', 'tokenizer.json')) };
}
