import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

/** One line of a .jsonl file. */
export interface JsonLine {
  readonly value: unknown;
  /** FILE:LINE, for messages. */
  readonly place: string;
}

/**
 * The lines of a .jsonl file; blank ones are left out.
 *
 * @throws FuseMeshError not_found where there is no such file, invalid_argument for a line that is not JSON
 */
export async function* readJsonLines(file: string): AsyncGenerator<JsonLine> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw new FuseMeshError('not_found', `No file at ${file}: correct the path.`);
  }
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    const place = `${file}:${++number}`;
    if (line.trim() !== '') yield { value: parse(line, place), place };
  }
}

function parse(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${place} is not JSON: put one object on each line.`, {
      cause,
    });
  }
}
