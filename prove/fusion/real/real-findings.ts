import type { NamedResult } from '../measure/equal-effort.ts';
import { knownResults } from '../measure/measure.ts';
import { refuseOverlap } from '../measure/refuse-overlap.ts';
import { isMeasured, openRealStudy, readRealStudy } from './real-study.ts';

/** Results of the study of a real LLM. */
export interface RealFindings {
  /** Experiments in the order of the table. */
  readonly names: readonly string[];
  readonly results: readonly NamedResult[];
  /** What held-out text was compared with. */
  readonly compared: string;
}

/**
 * Reads what has been measured with a real LLM on this machine.
 *
 * @returns undefined where no seed has been measured completely
 * @throws FuseMeshError when texts or models of the study are missing
 */
export async function readRealFindings(
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<RealFindings | undefined> {
  if (!isMeasured(await readRealStudy())) return undefined;
  const study = await openRealStudy();
  const results = await knownResults(study, seeds, signal);
  if (results.length === 0) return undefined;
  const names = study.experiments.map(({ name }) => name);
  return { names, results, compared: await refuseOverlap(study.config) };
}
