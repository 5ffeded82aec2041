import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../wire/generated/fusemesh/v1/trainer_pb.ts';

/** What the page shows: the messages of TrainerService. */
export interface PageSource {
  status(): MessageInitShape<typeof GetStatusResponseSchema>;
  /** @param afterStep the history before it is left out */
  history(afterStep: number): MessageInitShape<typeof GetHistoryResponseSchema>;
  /** Undefined before the first document was trained on. */
  alignment(): MessageInitShape<typeof GetAlignmentResponseSchema> | undefined;
}
