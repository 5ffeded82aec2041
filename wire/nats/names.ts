import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { isRunName, runNameRule } from '../../process/config/run-name.ts';
import type { NatsConnection } from './connection.ts';

/** What a run's streams and subjects are called. */
export interface RunNames {
  readonly run: string;
  readonly documentsStream: string;
  readonly distributionsStream: string;
  readonly deadLettersStream: string;
  /** Holds the parts of documents and distributions that are too large for one message. */
  readonly partsStream: string;
  /** Subject of the manifest. */
  readonly corpusSubject: string;
  /** Where feeders are asked for documents by number. */
  readonly corpusGetSubject: string;
  /** Where the trainer says that the run is over. */
  readonly corpusOverSubject: string;
  /** Where the trainer of the run answers to whoever wants to be it. */
  readonly trainerSubject: string;
  readonly documentsSubject: string;
  /** Followed by the teacher's name. */
  readonly distributionsPrefix: string;
  /** Followed by the teacher's name. */
  readonly deadLettersPrefix: string;
  /** Followed by "documents" or "distributions.TEACHER", and the number of the document. */
  readonly partsPrefix: string;
  /** Parts of dead letters, which are in their stream. */
  readonly letterPartsSubject: string;
  /** Object store bucket of the target's weights, for who serves it while it learns. */
  readonly weightsBucket: string;
  /** The stream behind the bucket, by the rule of object stores. */
  readonly weightsStream: string;
}

/** What the functions of this folder work on. */
export interface RunContext {
  readonly connection: NatsConnection;
  readonly names: RunNames;
  /** Makes lost streams again, as this process made them before; false where it never did. */
  restore(): Promise<boolean>;
}

/**
 * Names have neither underscores nor dots, so no two runs and no two teachers ever share a stream or a subject, and the
 * name of every stream tells its run.
 *
 * @throws FuseMeshError invalid_argument for a name that could reach into another run
 */
export function runNames(run: string): RunNames {
  refuseWrongName('run', run);
  return {
    run,
    documentsStream: `fusemesh_${run}_documents`,
    distributionsStream: `fusemesh_${run}_distributions`,
    deadLettersStream: `fusemesh_${run}_dead_letters`,
    partsStream: `fusemesh_${run}_parts`,
    corpusSubject: `fusemesh.${run}.corpus`,
    corpusGetSubject: `fusemesh.${run}.corpus.get`,
    corpusOverSubject: `fusemesh.${run}.corpus.over`,
    trainerSubject: `fusemesh.${run}.trainer`,
    documentsSubject: `fusemesh.${run}.documents`,
    distributionsPrefix: `fusemesh.${run}.distributions.`,
    deadLettersPrefix: `fusemesh.${run}.dead-letters.`,
    partsPrefix: `fusemesh.${run}.parts.`,
    letterPartsSubject: `fusemesh.${run}.letter-parts`,
    weightsBucket: `fusemesh_${run}_weights`,
    weightsStream: `OBJ_fusemesh_${run}_weights`,
  };
}

/** Subject of one teacher's distributions. */
export function distributionsSubject(names: RunNames, teacher: string): string {
  refuseWrongName('teacher', teacher);
  return names.distributionsPrefix + teacher;
}

/** Where the parts of a document go, or those of what a teacher says about it. */
export function partsPlace(
  { partsStream, partsPrefix }: RunNames,
  document: number | 'again',
  teacher?: string,
): { readonly stream: string; readonly subject: string } {
  if (teacher !== undefined) refuseWrongName('teacher', teacher);
  const kind = teacher === undefined ? 'documents' : `distributions.${teacher}`;
  return { stream: partsStream, subject: `${partsPrefix}${kind}.${document}` };
}

/** Subject of one teacher's messages that could not be used. */
export function deadLettersSubject(names: RunNames, teacher: string): string {
  refuseWrongName('teacher', teacher);
  return names.deadLettersPrefix + teacher;
}

/** Name of the durable consumer that all replicas of a teacher share. */
export function teacherConsumer(teacher: string): string {
  refuseWrongName('teacher', teacher);
  return `teacher_${teacher}`;
}

/** The run whose documents' stream has this name; undefined for a stream that is none of ours. */
export function runOfDocumentsStream(stream: string): string | undefined {
  const run = /^fusemesh_([^_]+)_documents$/.exec(stream)?.[1];
  return run !== undefined && isRunName(run) ? run : undefined;
}

function refuseWrongName(of: 'run' | 'teacher', name: string): void {
  if (isRunName(name)) return;
  throw new FuseMeshError('invalid_argument', `"${name}" is no name of a ${of}: ${runNameRule}.`);
}
