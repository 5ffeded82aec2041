import type { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { RequestRules } from '../../wire/grpc/checked.ts';
import { integer } from '../../wire/grpc/field-rules.ts';

/** What TrainerService takes. */
export const trainerRules: RequestRules<typeof TrainerService> = {
  getStatus: {},
  watchSteps: {},
  getHistory: { afterStep: integer(0, Number.MAX_SAFE_INTEGER) },
  getAlignment: {},
  pause: {},
  resume: {},
  checkpoint: {},
};
