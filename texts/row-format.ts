/**
 * The keys that make the content of a row, in the order in which they are looked for: the formats of TRL's datasets for
 * supervised training (https://huggingface.co/docs/trl/dataset_formats). "conversations" is its older form.
 */
const formats = [['messages'], ['conversations'], ['prompt', 'completion'], ['text']] as const;

/** Keys that go with a conversation. */
export const keysBeside = ['tools', 'chat_template_kwargs'] as const;

/** What messages call the keys that a row must have. */
export const formatKeys = '"text", "messages", or "prompt" and "completion"';

/**
 * The keys that make the content of a row: the column where one is named, else those of the first format that is there.
 *
 * @returns undefined where no format is there
 */
export function contentKeys(
  has: (key: string) => boolean,
  column: string | undefined,
): readonly string[] | undefined {
  if (column !== undefined) return has(column) ? [column] : undefined;
  return formats.find((keys) => keys.every(has));
}
