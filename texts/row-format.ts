/**
 * The keys that make the content of a row, in the order in which they are looked for: the formats of TRL's datasets for
 * supervised training (https://huggingface.co/docs/trl/dataset_formats). "conversations" is its older form.
 */
const formats = [['messages'], ['conversations'], ['prompt', 'completion'], ['text']] as const;

/** Those that make a prompt, whose completion, if it has one, is left aside. */
const promptFormats = [['messages'], ['conversations'], ['prompt'], ['text']] as const;

/** What rows are read for: texts as they are, or prompts that are to be gone on with. */
export type RowPurpose = 'texts' | 'prompts';

/** Key of a prompt: who judges its completion alone. */
export const teacherKey = 'teacher';

/** Keys that go with a conversation. */
export const keysBeside = ['tools', 'chat_template_kwargs'] as const;

/** What messages call the keys that a row must have. */
export const formatKeys: Readonly<Record<RowPurpose, string>> = {
  texts: '"text", "messages", or "prompt" and "completion"',
  prompts: '"prompt", "messages" or "text"',
};

/**
 * The keys that make the content of a row: the column where one is named, else those of the first format that is there.
 *
 * @returns undefined where no format is there
 */
export function contentKeys(
  has: (key: string) => boolean,
  column: string | undefined,
  purpose: RowPurpose = 'texts',
): readonly string[] | undefined {
  if (column !== undefined) return has(column) ? [column] : undefined;
  const known: readonly (readonly string[])[] = purpose === 'texts' ? formats : promptFormats;
  return known.find((keys) => keys.every(has));
}
