import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';

/** An answer that is not one to the question: it is asked again, and never published. */
export const wrongAnswer = (what: string, cause?: unknown): FuseMeshError =>
  new FuseMeshError('data_loss', `The answer cannot be used: ${what}`, { cause });
