import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { checked, type RequestRules } from '../../wire/grpc/checked.ts';
import { integer } from '../../wire/grpc/field-rules.ts';
import { type ImplementedService, implement } from '../../wire/grpc/implementation.ts';
import { historyMessage } from './history/history-message.ts';
import type { RunStatus } from './run-status.ts';
import { statusMessage, stepMessage } from './status-message.ts';

/** What TrainerService takes. */
const trainerRules: RequestRules<typeof TrainerService> = {
  getStatus: {},
  watchSteps: {},
  getHistory: { afterStep: integer(0, Number.MAX_SAFE_INTEGER) },
  getAlignment: {},
  pause: {},
  resume: {},
  checkpoint: {},
};

/** TrainerService of proto/fusemesh/v1/trainer.proto, over the status of one run. */
export function trainerService(status: RunStatus, log: Log): ImplementedService {
  const { control, record } = status;
  const methods = checked(TrainerService, trainerRules, {
    getStatus: async () => statusMessage(status),
    async *watchSteps(_request, { signal }) {
      for await (const step of record.watchers.watch(signal)) {
        yield { step: stepMessage(step), stepsTotal: BigInt(record.planned.steps) };
      }
      if (!signal.aborted) refuseUnfinished(status);
    },
    getHistory: async ({ afterStep }) => historyMessage(record.history.since(Number(afterStep))),
    getAlignment: async () => {
      const { alignment } = record;
      if (alignment) return alignment;
      throw new FuseMeshError('not_found', 'No document has been trained on since this trainer began.');
    },
    pause: async () => {
      control.pause();
      log.info('The training is to pause: a caller asks for it');
      return {};
    },
    resume: async () => {
      control.resume();
      log.info('The training is to resume: a caller asks for it');
      return {};
    },
    checkpoint: async () => {
      const { directory, state } = await control.requestCheckpoint();
      return { directory, step: BigInt(state.step) };
    },
  });
  return implement(TrainerService, methods);
}

/** A stream of steps ends as its run did: the status can no longer be asked for it. */
function refuseUnfinished({ run, record: { outcome } }: RunStatus): void {
  if (outcome === 'finished') return;
  if (outcome === 'failed') {
    throw new FuseMeshError('failed_precondition', `Run ${run} has failed: the trainer's log says why.`);
  }
  throw new FuseMeshError('unavailable', 'The trainer was stopped before the run was over.');
}
