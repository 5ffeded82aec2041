import type { IncomingMessage } from 'node:http';
import { mostDocumentBytes } from '../../../wire/codec/document-bytes.ts';
import { RequestRefusal } from './request-refusal.ts';

/** A document's text, and room for what JSON puts around it. */
export const mostBodyBytes = 2 * mostDocumentBytes;

/**
 * The JSON object in the body of a request. Only application/json is taken, which a web page of another origin cannot send
 * unasked.
 *
 * @throws RequestRefusal where it is too long, of another type, or no JSON object
 */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const type = request.headers['content-type']?.split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') {
    const sent = type === undefined ? 'none' : JSON.stringify(type.slice(0, 80));
    throw new RequestRefusal(`The Content-Type is ${sent}: send JSON as application/json.`, { status: 415 });
  }
  if (Number(request.headers['content-length'] ?? 0) > mostBodyBytes) throw tooLong();
  const parts: Buffer[] = [];
  let length = 0;
  // A refusal is answered: the connection is not to be destroyed with the rest of the body.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > mostBodyBytes) throw tooLong();
    parts.push(part);
  }
  const body = parsed(Buffer.concat(parts));
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new RequestRefusal('The body is no JSON object.');
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RequestRefusal(`The body is no JSON: ${(cause as Error).message}.`);
  }
}

const tooLong = () =>
  new RequestRefusal(`The body is too long: at most ${mostBodyBytes} bytes are taken.`, { status: 413 });
