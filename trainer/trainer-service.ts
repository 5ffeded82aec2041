import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type GetStatusResponseSchema,
  TrainerService,
  TrainerState,
  type TrainingStepSchema,
} from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { type ImplementedService, implement } from '../mesh/grpc/implementation.ts';
import type { RunStatus } from './run-status.ts';
import type { StepReport } from './step-report.ts';
import type { TrainingControl } from './training-control.ts';

/** TrainerService of proto/fusemesh/v1/trainer.proto, over the status and the control of one run. */
export function trainerService(status: RunStatus, control: TrainingControl): ImplementedService {
  return implement(TrainerService, {
    getStatus: async () => statusMessage(status, control.paused),
    async *watchSteps(_request, { signal }) {
      for await (const step of status.watchSteps(signal)) {
        yield { step: stepMessage(step), stepsTotal: BigInt(status.totalSteps) };
      }
    },
    pause: async () => {
      control.pause();
      return {};
    },
    resume: async () => {
      control.resume();
      return {};
    },
    checkpoint: async () => {
      const { directory, state } = await control.requestCheckpoint();
      return { directory, step: BigInt(state.step) };
    },
  });
}

function statusMessage(status: RunStatus, paused: boolean): MessageInitShape<typeof GetStatusResponseSchema> {
  const holds = paused && status.phase === TrainerState.TRAINING;
  return {
    run: status.run,
    state: holds ? TrainerState.PAUSED : status.phase,
    stepsTotal: BigInt(status.totalSteps),
    ...(status.lastStep === undefined ? {} : { lastStep: stepMessage(status.lastStep) }),
    sources: status.sources().map(({ name, attached, queueDepth, documentsChosen }) => ({
      teacher: name,
      attached,
      queueDepth,
      documentsChosen: BigInt(documentsChosen),
    })),
    documentsWaiting: status.documentsWaiting(),
    checkpointDirectory: status.checkpointDirectory,
  };
}

function stepMessage(report: StepReport): MessageInitShape<typeof TrainingStepSchema> {
  return {
    step: BigInt(report.step),
    documents: BigInt(report.documents),
    tokens: BigInt(report.tokens),
    loss: report.loss,
    causalLoss: report.causalLoss,
    fusionLoss: report.fusionLoss,
    gradientNorm: report.gradientNorm,
    learningRate: report.learningRate,
    alignedShare: report.alignedShare,
    seconds: report.seconds,
    waitSeconds: report.waitSeconds,
    tokensPerSecond: report.tokensPerSecond,
  };
}
