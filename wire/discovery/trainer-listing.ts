import { z } from 'zod';
import type { FoundService, ServiceDescription } from '../nats/services.ts';

/** The name under which trainers register at NATS. */
export const trainerServiceName = 'fusemesh-trainer';

const loadSchema = z.object({
  /** "training", "paused", … */
  state: z.string(),
  /** The last step done; 0 before the first. */
  step: z.number(),
  /** 0 until it is known. */
  stepsTotal: z.number(),
  tokensPerSecond: z.number(),
});
const metadataSchema = z.object({ run: z.string(), grpc_address: z.string(), metrics_address: z.string() });

export type TrainerProgress = z.infer<typeof loadSchema>;

/** How a trainer process describes itself over NATS. */
export interface TrainerListing {
  readonly run: string;
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  /** HOST:PORT of its /metrics and its page. */
  readonly metricsAddress: string;
}

/** A trainer that answered, and where it stands. */
export interface FoundTrainer extends TrainerListing, TrainerProgress {
  /** Version of FuseMesh in that process. */
  readonly version: string;
}

/** @param progress called whenever somebody asks for the trainer */
export function describeTrainer(
  { run, address, metricsAddress }: TrainerListing,
  progress: () => TrainerProgress,
): ServiceDescription {
  const metadata: Record<keyof z.infer<typeof metadataSchema>, string> = {
    run,
    grpc_address: address,
    metrics_address: metricsAddress,
  };
  return {
    name: trainerServiceName,
    description: `Trainer of run ${run}`,
    metadata,
    load: progress,
  };
}

/** Undefined for a service that is no trainer, or one that this version cannot read. */
export function trainerOf({ version, metadata, load }: FoundService): FoundTrainer | undefined {
  const told = metadataSchema.safeParse(metadata);
  const now = loadSchema.safeParse(load);
  if (!told.success || !now.success) return undefined;
  const { run, grpc_address: address, metrics_address: metricsAddress } = told.data;
  return { version, run, address, metricsAddress, ...now.data };
}
