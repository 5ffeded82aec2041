import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { stateFile } from '../../model/checkpoints/checkpoint-names.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { newestRecord } from '../../trainer/checkpoint/read-checkpoint.ts';
import { fusedModelIsWritten } from '../../trainer/fused-model.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { heldOutMessage } from '../../trainer/report/history/history-message.ts';
import type { HeldOutLoss } from '../../trainer/report/history/run-history.ts';
import { rolloutStatusMessage } from '../../trainer/report/rollouts/rollout-messages.ts';
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  TrainerState,
  TrainingStepSchema,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { figuresOf, noFigures } from '../../wire/messages/figure-values.ts';
import { readAnyResult } from './run-result.ts';

/**
 * The last status of a run whose trainer has written the fused model and left, from what is stored: counts of the
 * newest checkpoint, losses of the history, held-out losses of the history or the result. What is not stored is NaN
 * or left out. Undefined where there is no fused model.
 */
export async function finishedRun(config: RunConfig): Promise<GetStatusResponse | undefined> {
  const { output } = config.trainer;
  if (!fusedModelIsWritten(config)) return undefined;
  const saved = await newestRecord(join(output, 'checkpoints'));
  if (!saved) return undefined;
  const { state, directory } = saved;
  const { points, heldOut } = await readHistory(output);
  const last = points.at(-1);
  const look = heldOut.at(-1) ?? (await heldOutOfResult(config, state.step));
  const written = await stat(join(directory, stateFile));
  return create(GetStatusResponseSchema, {
    run: state.run,
    state: TrainerState.FINISHED,
    stepsTotal: BigInt(state.step),
    lastStep: create(TrainingStepSchema, {
      step: BigInt(state.step),
      documents: BigInt(state.documents),
      tokens: BigInt(state.tokens),
      ...(last ? figuresOf(last) : noFigures),
    }),
    sources: Object.entries(state.documentsChosen).map(([teacher, chosen]) => ({
      teacher,
      documentsChosen: BigInt(chosen),
    })),
    checkpointDirectory: directory,
    checkpointStep: BigInt(state.step),
    checkpointTime: timestampFromDate(written.mtime),
    documentsTotal: BigInt(state.documents),
    skippedSteps: BigInt(state.skippedSteps),
    ...(look && { heldOut: heldOutMessage(look) }),
    ...(config.onPolicy && {
      rollouts: rolloutStatusMessage({ totals: state.rollouts, last: undefined, shown: [] }),
    }),
  });
}

/** The held-out losses that `fusemesh up` measured at the end. */
async function heldOutOfResult(config: RunConfig, step: number): Promise<HeldOutLoss | undefined> {
  const domains = (await readAnyResult(config))?.domains ?? [];
  const losses = domains.flatMap(({ name, after }) => (after === null ? [] : [[name, after] as const]));
  return losses.length > 0 ? { step, bitsPerByte: Object.fromEntries(losses) } : undefined;
}
