import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../wire/generated/fusemesh/v1/trainer_pb.ts';

/** What the page shows, as TrainerService tells it too. */
export interface PageSource {
  status(): MessageInitShape<typeof GetStatusResponseSchema>;
  /** @param afterStep only what came after this step */
  history(afterStep: number): MessageInitShape<typeof GetHistoryResponseSchema>;
  /** Undefined before the first document was trained on. */
  alignment(): MessageInitShape<typeof GetAlignmentResponseSchema> | undefined;
}
