import type { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import { sourcesOf } from '../../../process/config/run-sources.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { PromptRules } from './read-prompts.ts';

/** A run with onPolicy. */
export type OnPolicyRun = RunConfig & { readonly onPolicy: NonNullable<RunConfig['onPolicy']> };

/**
 * What the prompts of a run must fit with.
 *
 * @param encoders of the target, then of the teachers in their order
 */
export function promptRules(
  config: OnPolicyRun,
  encoders: readonly ContentEncoder[],
  signal: AbortSignal,
): PromptRules {
  return {
    encoders,
    contextLength: config.contextLength,
    names: ['target', ...config.teachers.map(({ name }) => name)],
    maxNewTokens: config.onPolicy.maxNewTokens,
    judges: sourcesOf(config).map(({ name }) => name),
    signal,
  };
}
