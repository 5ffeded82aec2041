import { randomUUID } from 'node:crypto';
import { modelFingerprint } from '../../model/model-fingerprint.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import type { TeacherListing } from '../../wire/discovery/teacher-listing.ts';

/** What a teacher process is, as it tells callers and whoever looks for teachers. */
export interface TeacherIdentity {
  /** What its operator calls it. */
  readonly name: string;
  /** Run of the run file that it was started with. */
  readonly run: string;
  /** Of this process. */
  readonly instance: string;
  readonly modelFingerprint: Uint8Array;
}

/** @param model path of the model, as the scorer loads it */
export async function teacherIdentity(name: string, run: string, model: string): Promise<TeacherIdentity> {
  return { name, run, instance: randomUUID(), modelFingerprint: await modelFingerprint(model) };
}

/** The same as others find it, with where it is reached. */
export function teacherListing(
  { name, run, instance, modelFingerprint: fingerprint }: TeacherIdentity,
  { card, tokenizer }: Pick<Scorer, 'card' | 'tokenizer'>,
  places: Pick<TeacherListing, 'address' | 'metricsAddress'>,
): TeacherListing {
  return {
    ...{ teacher: name, run, instance },
    ...card,
    tokenizerFingerprint: Buffer.from(tokenizer.fingerprint).toString('hex'),
    modelFingerprint: Buffer.from(fingerprint).toString('hex'),
    ...places,
  };
}
