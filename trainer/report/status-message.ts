import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  type TrainingStep,
  TrainingStepSchema,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { figuresOf } from '../../wire/messages/figure-values.ts';
import { heldOutMessage } from './history/history-message.ts';
import { rolloutStatusMessage, stepRolloutsMessage } from './rollouts/rollout-messages.ts';
import type { RunStatus } from './run-status.ts';
import type { StepReport } from './step-report.ts';

/** A run's status as a message, for TrainerService.GetStatus and the page. */
export function statusMessage(status: RunStatus): GetStatusResponse {
  const { run, state, secondsLeft, record } = status;
  const { planned, lastStep, heldOut, checkpoint, tokensPerSecond } = record;
  return create(GetStatusResponseSchema, {
    run,
    state,
    tokensPerSecond,
    stepsTotal: BigInt(planned.steps),
    ...(lastStep && { lastStep: stepMessage(lastStep) }),
    sources: status.sources.map(({ name, ...source }) => ({
      ...source,
      teacher: name,
      documentsChosen: BigInt(source.documentsChosen),
      documentsScored: BigInt(source.documentsScored),
      lagDocuments: BigInt(source.lagDocuments),
      bytesReceived: BigInt(source.bytesReceived),
      deadLetters: BigInt(source.deadLetters),
      documentsWithout: BigInt(source.documentsWithout),
    })),
    documentsWaiting: status.documentsWaiting,
    ...(checkpoint && {
      checkpointDirectory: checkpoint.directory,
      checkpointStep: BigInt(checkpoint.step),
      checkpointTime: timestampFromDate(checkpoint.at),
    }),
    started: timestampFromDate(status.started),
    documentsTotal: BigInt(planned.documents),
    skippedSteps: BigInt(lastStep?.skippedSteps ?? 0),
    ...(secondsLeft !== undefined && { secondsLeft }),
    time: record.time.total,
    ...(heldOut && { heldOut: heldOutMessage(heldOut) }),
    streams: (status.streams?.streams ?? []).map(({ name, ...stream }) => ({
      name,
      messages: BigInt(stream.messages),
      bytes: BigInt(stream.bytes),
      mostMessages: BigInt(stream.mostMessages),
    })),
    ...(record.written && { rollouts: rolloutStatusMessage(record.written) }),
  });
}

/** A step as a message of WatchSteps. */
export const stepMessage = (report: StepReport): TrainingStep =>
  create(TrainingStepSchema, {
    step: BigInt(report.step),
    documents: BigInt(report.documents),
    tokens: BigInt(report.tokens),
    ...figuresOf(report),
    seconds: report.seconds,
    waitSeconds: report.time.wait,
    tokensPerSecond: report.tokensPerSecond,
    time: report.time,
    skipped: report.skipped,
    without: Object.entries(report.without).map(([teacher, documents]) => ({
      teacher,
      documents: documents.map(BigInt),
    })),
    ...(report.rollouts && {
      rollouts: stepRolloutsMessage({ rollouts: report.rollouts, seconds: report.seconds }),
    }),
  });
