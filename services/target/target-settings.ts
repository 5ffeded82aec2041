import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';

/** What the run file says of the target's service. */
export type TargetSettings = NonNullable<RunConfig['target']['service']>;

/** @throws FuseMeshError invalid_argument for a run that has none */
export function targetSettings({ run, target }: RunConfig): TargetSettings {
  if (target.service) return target.service;
  throw new FuseMeshError(
    'invalid_argument',
    `The run ${run} has no target.service: add it with an address, such as target: { service: { address: 127.0.0.1:50070 } }`,
  );
}
