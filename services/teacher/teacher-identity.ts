import type { TeacherListing } from '../../wire/discovery/teacher-listing.ts';
import type { TeacherModel } from './teacher-model.ts';

/** Which teacher process this is, as it tells callers and whoever looks for teachers. */
export interface TeacherIdentity {
  /** What its operator calls it. */
  readonly name: string;
  /** Run of the run file that it was started with. */
  readonly run: string;
  /** Of this process: another one after every start. */
  readonly instance: string;
}

/** A teacher process as others find it over NATS. */
export function teacherListing(
  { name, run, instance }: TeacherIdentity,
  { card, tokenizer, fingerprint }: Pick<TeacherModel, 'card' | 'tokenizer' | 'fingerprint'>,
  { address, metricsAddress }: Pick<TeacherListing, 'address' | 'metricsAddress'>,
): TeacherListing {
  return {
    teacher: name,
    run,
    instance,
    family: card.family,
    parameters: card.parameters,
    vocabularySize: card.vocabularySize,
    contextLength: card.contextLength,
    tokenizerFingerprint: Buffer.from(tokenizer.fingerprint).toString('hex'),
    modelFingerprint: Buffer.from(fingerprint).toString('hex'),
    address,
    metricsAddress,
  };
}
