import { create } from '@bufbuild/protobuf';
import {
  type Document,
  type RolloutTask,
  RolloutTaskSchema,
} from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RolloutPlan } from './plan.ts';
import type { PromptSettings } from './prepare-prompts.ts';

/** What is to be written for a rollout, by its number among a run's rollouts. */
export const taskOfRollout =
  (
    plan: RolloutPlan,
    prompts: { at(number: number): Document },
    { maxNewTokens, temperature, topP }: PromptSettings['onPolicy'],
  ) =>
  (rollout: number): RolloutTask => {
    const number = plan.promptOf(rollout);
    const { domain, turns, tools, rollout: asked } = prompts.at(number);
    return create(RolloutTaskSchema, {
      document: BigInt(plan.documentOf(rollout)),
      prompt: BigInt(number),
      domain,
      turns,
      tools,
      minStep: BigInt(plan.leastStepOf(rollout)),
      maxTokens: maxNewTokens,
      temperature,
      topP,
      seed: plan.seedOf(rollout),
      teacher: asked?.teacher ?? '',
    });
  };
