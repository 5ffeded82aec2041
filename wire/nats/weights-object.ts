import type { RunNames } from './names.ts';

/**
 * Weights of one step as a run's bucket holds them: an object of NATS's object store (ADR-20 of nats-architecture), so
 * that `nats object get` gives the same file.
 */
export interface WeightsObject {
  /** Of the training, after which they are; also the object's name. */
  readonly step: number;
  /** Tells this publication from any other, of the same step too. */
  readonly id: string;
  readonly bytes: number;
  readonly chunks: number;
  /** SHA-256 of all bytes, in hexadecimal. */
  readonly sha256: string;
  /** What the publisher says of them beside. */
  readonly metadata: Readonly<Record<string, string>>;
}

const digestPrefix = 'SHA-256=';

/** As object stores name things in subjects. */
const base64url = (text: string): string =>
  Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** Followed by the id of an object: the subject of its chunks. */
export const chunksSubject = ({ weightsBucket }: RunNames, id: string): string =>
  `$O.${weightsBucket}.C.${id}`;

/** Where it is announced that the weights of a step are all there. */
export const announcementSubject = ({ weightsBucket }: RunNames, step: number): string =>
  `$O.${weightsBucket}.M.${base64url(String(step))}`;

/** All subjects of a bucket: those of chunks, and those of announcements. */
export const bucketSubjects = ({ weightsBucket }: RunNames): { chunks: string; announcements: string } => ({
  chunks: `$O.${weightsBucket}.C.>`,
  announcements: `$O.${weightsBucket}.M.>`,
});

/** The announcement of an object. */
export function formatAnnouncement(
  { weightsBucket }: RunNames,
  { step, id, bytes, chunks, sha256, metadata }: WeightsObject,
  chunkBytes: number,
): Uint8Array {
  const digest = Buffer.from(sha256, 'hex').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return Buffer.from(
    JSON.stringify({
      name: String(step),
      description: '',
      bucket: weightsBucket,
      nuid: id,
      size: bytes,
      chunks,
      mtime: new Date().toISOString(),
      digest: `${digestPrefix}${digest}`,
      deleted: false,
      metadata,
      options: { max_chunk_size: chunkBytes },
    }),
  );
}

/** The object of an announcement; undefined where it is deleted, or is none of ours. */
export function parseAnnouncement(announcement: Uint8Array): WeightsObject | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = Object(JSON.parse(Buffer.from(announcement).toString()));
  } catch {
    return undefined;
  }
  const { name, nuid: id, size: bytes, chunks, digest, deleted, metadata } = fields;
  const step = Number(name);
  if (deleted === true || typeof id !== 'string' || !/^\w+$/.test(id)) return undefined;
  if (![step, bytes, chunks].every((count) => Number.isSafeInteger(count) && Number(count) >= 0)) {
    return undefined;
  }
  if (typeof digest !== 'string' || !digest.startsWith(digestPrefix)) return undefined;
  const sha256 = Buffer.from(digest.slice(digestPrefix.length), 'base64url').toString('hex');
  return {
    step,
    id,
    bytes: Number(bytes),
    chunks: Number(chunks),
    sha256,
    metadata: Object.fromEntries(
      Object.entries(Object(metadata)).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    ),
  };
}
