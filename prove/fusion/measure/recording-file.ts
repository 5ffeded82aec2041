import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceDurably } from '../../../model/export/durable-files.ts';

/** What a source said about all documents, as the bytes of its NATS messages, one a document. */
export type Recording = readonly Uint8Array[];

/** The number of messages, the length of each as unsigned 32-bit numbers in the machine's order, then the messages. */
export async function writeRecording(path: string, messages: Recording): Promise<void> {
  const header = Uint32Array.from([messages.length, ...messages.map(({ length }) => length)]);
  await mkdir(dirname(path), { recursive: true });
  await replaceDurably(path, Buffer.concat([new Uint8Array(header.buffer), ...messages]));
}

/** @returns undefined where there is no such file */
export async function readRecording(path: string): Promise<Recording | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const numbers = (from: number, count: number) =>
    new Uint32Array(Uint8Array.from(bytes.subarray(4 * from, 4 * (from + count))).buffer);
  const [count] = numbers(0, 1);
  let at = 4 * (1 + count);
  return [...numbers(1, count)].map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}
