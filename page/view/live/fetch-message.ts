import { type DescMessage, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';

/** Milliseconds after which an answer is not waited for any more. */
const patience = 10_000;

/**
 * Asks the trainer.
 *
 * @returns undefined where it has nothing of the kind yet
 * @throws Error when it does not answer, or not with what was asked for
 */
export async function fetchMessage<Desc extends DescMessage>(
  schema: Desc,
  path: string,
): Promise<MessageShape<Desc> | undefined> {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return fromJson(schema, (await response.json()) as JsonValue, { ignoreUnknownFields: true });
}
