import { create } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import {
  type Document,
  DocumentSchema,
  type RolloutTask,
} from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { TargetServiceGenerateResponse } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { FinishReason } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { TargetClient } from './target-clients.ts';

/** How long weights that are new enough are waited for before it is asked whether they are near, in milliseconds. */
export const patience = 15_000;

interface Writing {
  readonly signal: AbortSignal;
  /** Milliseconds, {@link patience} by default. */
  readonly waitAtMost?: number;
  /** Called with the seconds until the first token. */
  readonly onBegun?: (waited: number) => void;
}

/**
 * Has a target service write what a task asks for.
 *
 * @returns the document; undefined where the service has waited for weights for a while and still has older ones, so
 *   that another task may be tried
 * @throws FuseMeshError what the call failed with, cancelled when aborted, internal for an answer that breaks the
 *   contract
 */
export async function writeRollout(
  task: RolloutTask,
  { service, address }: TargetClient,
  { signal, waitAtMost = patience, onBegun }: Writing,
): Promise<Document | undefined> {
  const stop = new AbortController();
  const called = performance.now();
  let begun: number | undefined;
  const watch = async (): Promise<void> => {
    const either = AbortSignal.any([signal, stop.signal]);
    while (begun === undefined && !either.aborted) {
      await sleepUnlessAborted(waitAtMost, either);
      if (begun !== undefined || either.aborted) return;
      // It may also wait for a slot.
      const served = await service
        .getServedModel({}, { signal: either, timeoutMs: waitAtMost })
        .catch(() => undefined);
      if (served !== undefined && served.weightsStep < task.minStep && begun === undefined) {
        gaveUp = true;
        stop.abort();
      }
    }
  };
  let gaveUp = false;
  const watching = watch();
  let text = '';
  let last: TargetServiceGenerateResponse | undefined;
  try {
    for await (const response of service.generate(requestOf(task), {
      signal: AbortSignal.any([signal, stop.signal]),
    })) {
      if (begun === undefined) {
        begun = performance.now();
        onBegun?.((begun - called) / 1000);
      }
      if (last !== undefined && last.weightsStep !== response.weightsStep) {
        throw broken(address, `changes from weights of step ${last.weightsStep} to ${response.weightsStep}`);
      }
      text += response.text;
      last = response;
    }
  } catch (error) {
    if (gaveUp) return undefined;
    throw error;
  } finally {
    stop.abort();
    await watching;
  }
  if (last === undefined || last.finishReason === FinishReason.UNSPECIFIED) {
    throw broken(address, 'ends without a reason');
  }
  if (last.weightsStep < task.minStep) {
    throw broken(address, `is of weights of step ${last.weightsStep}, where ${task.minStep} is the least`);
  }
  const seconds = (performance.now() - (begun ?? called)) / 1000;
  return documentOf(task, { ...last, text, seconds });
}

const requestOf = ({ turns, tools, maxTokens, temperature, topP, seed, minStep }: RolloutTask) => ({
  // A text is gone on with as it is, in the tokens that it has alone.
  ...(turns[0]?.role === '' ? { prompt: turns.map(({ content }) => content).join('') } : { turns }),
  tools,
  maxTokens,
  temperature,
  topP,
  seed,
  minStep,
});

function documentOf(
  { document, domain, turns, tools, prompt, seed, teacher }: RolloutTask,
  written: Pick<
    TargetServiceGenerateResponse,
    'tokens' | 'logProbability' | 'weightsStep' | 'finishReason'
  > & {
    readonly text: string;
    readonly seconds: number;
  },
): Document {
  const { text, seconds, tokens, logProbability, weightsStep, finishReason } = written;
  const role = turns[0]?.role === '' ? '' : 'assistant';
  const unfinished = finishReason === FinishReason.LENGTH;
  return create(DocumentSchema, {
    number: document,
    domain,
    schemaVersion: 2,
    turns: [...turns, { role, content: text, learnt: true, unfinished }],
    tools,
    rollout: { weightsStep, prompt, seed, tokens, logProbability, seconds, teacher },
  });
}

const broken = (address: string, what: string): FuseMeshError =>
  new FuseMeshError('internal', `An answer of the target service at ${address} ${what}`);
