import type { TrainerService } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import type { RequestRules } from '../mesh/grpc/checked.ts';
import { integer } from '../mesh/grpc/field-rules.ts';

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
