import { z } from 'zod';
import type { FoundService, ServiceDescription } from '../nats/services.ts';

/** The name under which teachers register at NATS. */
export const teacherServiceName = 'fusemesh-teacher';

/** A teacher's own report of its work for one run. */
const workSchema = z.object({
  run: z.string(),
  /** What the teacher is called in that run. */
  teacher: z.string(),
  documentsScored: z.number(),
  /** Taken from the stream and not yet published. */
  documentsInHand: z.number(),
  tokensPerSecond: z.number(),
  /** The stream is full. */
  waitingForRoom: z.boolean(),
});
const loadSchema = z.object({ work: z.array(workSchema) });
const metadataSchema = z.object({
  teacher: z.string(),
  run: z.string(),
  instance: z.string(),
  family: z.string(),
  parameters: z.coerce.number(),
  vocabulary_size: z.coerce.number(),
  context_length: z.coerce.number(),
  tokenizer_fingerprint: z.string(),
  model_fingerprint: z.string(),
  grpc_address: z.string(),
  metrics_address: z.string(),
});

export type TeacherWork = z.infer<typeof workSchema>;

/** How a teacher process describes itself over NATS. */
export interface TeacherListing {
  /** The name that its operator gave it. */
  readonly teacher: string;
  /** Run of the run file that it was started with; it may work for others. */
  readonly run: string;
  /** Id of this process, a new one at every start. */
  readonly instance: string;
  readonly family: string;
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Tokens. */
  readonly contextLength: number;
  /** SHA-256 in hexadecimal, like the model's. */
  readonly tokenizerFingerprint: string;
  readonly modelFingerprint: string;
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  /** HOST:PORT of its /metrics. */
  readonly metricsAddress: string;
}

/** A teacher that answered, and what it is working on. */
export interface FoundTeacher extends TeacherListing {
  /** Version of FuseMesh in that process. */
  readonly version: string;
  /** One entry for each run that it is attached to. */
  readonly work: readonly TeacherWork[];
}

/** @param work called whenever somebody asks for the teacher */
export function describeTeacher(
  listing: TeacherListing,
  work: () => readonly TeacherWork[],
): ServiceDescription {
  const metadata: Record<keyof z.infer<typeof metadataSchema>, string> = {
    teacher: listing.teacher,
    run: listing.run,
    instance: listing.instance,
    family: listing.family,
    parameters: String(listing.parameters),
    vocabulary_size: String(listing.vocabularySize),
    context_length: String(listing.contextLength),
    tokenizer_fingerprint: listing.tokenizerFingerprint,
    model_fingerprint: listing.modelFingerprint,
    grpc_address: listing.address,
    metrics_address: listing.metricsAddress,
  };
  return {
    name: teacherServiceName,
    description: `Teacher ${listing.teacher}: a ${listing.family} model that scores documents`,
    metadata,
    load: () => ({ work: work() }),
  };
}

/** Undefined for a service that is no teacher, or one that this version cannot read. */
export function teacherOf({ version, metadata, load }: FoundService): FoundTeacher | undefined {
  const told = metadataSchema.safeParse(metadata);
  const now = loadSchema.safeParse(load);
  if (!told.success || !now.success) return undefined;
  return {
    version,
    teacher: told.data.teacher,
    run: told.data.run,
    instance: told.data.instance,
    family: told.data.family,
    parameters: told.data.parameters,
    vocabularySize: told.data.vocabulary_size,
    contextLength: told.data.context_length,
    tokenizerFingerprint: told.data.tokenizer_fingerprint,
    modelFingerprint: told.data.model_fingerprint,
    address: told.data.grpc_address,
    metricsAddress: told.data.metrics_address,
    work: now.data.work,
  };
}
