import type { NamedResult } from '../measure/equal-effort.ts';
import type { Circumstances } from './circumstances.ts';

/** What every page of results is made of. */
export interface Findings {
  readonly results: readonly NamedResult[];
  readonly circumstances: Circumstances;
  /** What held-out text was compared with. */
  readonly compared: string;
}
