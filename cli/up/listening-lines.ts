import type { RunConfig } from '../../process/config/schema.ts';
import { httpScheme, reachableAddress } from '../reach/reachable.ts';
import type { Listening } from './mesh-processes.ts';

/** Where a process listens, for people. */
export const listeningLine = (listening: Listening, config: RunConfig): string =>
  `${listening.name} ${listening.grpc}, metrics ${httpUrl(listening, config)}metrics`;

/** The same of the trainer, with its page. */
export const trainerLines = (trainer: Listening, config: RunConfig): string =>
  [
    listeningLine(trainer, config),
    ...(trainer.note ? [trainer.note] : []),
    `The run in a browser: ${httpUrl(trainer, config)}`,
  ].join('\n');

/** HTTP is served at the host of the gRPC service. */
const httpUrl = ({ grpc, metricsPort }: Listening, { security }: RunConfig): string =>
  `${httpScheme(security)}://${reachableAddress(grpc.replace(/\d+$/, String(metricsPort)))}/`;
