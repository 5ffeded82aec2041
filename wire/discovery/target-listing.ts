import { z } from 'zod';
import type { FoundService, ServiceDescription } from '../nats/services.ts';

/** The name under which target services register at NATS. */
export const targetServiceName = 'fusemesh-target';

const loadSchema = z.object({
  /** Training step of the weights that new calls are answered by. */
  weightsStep: z.number(),
  /** Answers in hand, those that wait included. */
  answers: z.number(),
});
const metadataSchema = z.object({
  run: z.string(),
  instance: z.string(),
  grpc_address: z.string(),
  http_address: z.string(),
});

export type TargetLoad = z.infer<typeof loadSchema>;

/** How a target service describes itself over NATS. */
export interface TargetListing {
  readonly run: string;
  /** Id of this process, a new one at every start. */
  readonly instance: string;
  /** HOST:PORT of its gRPC services. */
  readonly address: string;
  /** HOST:PORT of its OpenAI-compatible front and its /metrics. */
  readonly httpAddress: string;
}

/** A target service that answered, and what it serves. */
export interface FoundTarget extends TargetListing, TargetLoad {
  /** Version of FuseMesh in that process. */
  readonly version: string;
}

/** @param load called whenever somebody asks for the service */
export function describeTarget(
  { run, instance, address, httpAddress }: TargetListing,
  load: () => TargetLoad,
): ServiceDescription {
  const metadata: Record<keyof z.infer<typeof metadataSchema>, string> = {
    run,
    instance,
    grpc_address: address,
    http_address: httpAddress,
  };
  return {
    name: targetServiceName,
    description: `Target of run ${run}, served as it learns`,
    metadata,
    load,
  };
}

/** Undefined for a service that is no target service, or one that this version cannot read. */
export function targetOf({ version, metadata, load }: FoundService): FoundTarget | undefined {
  const told = metadataSchema.safeParse(metadata);
  const now = loadSchema.safeParse(load);
  if (!told.success || !now.success) return undefined;
  const { run, instance, grpc_address: address, http_address: httpAddress } = told.data;
  return { version, run, instance, address, httpAddress, ...now.data };
}
