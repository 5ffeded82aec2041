import type { RunConfig } from '../../mesh/config/schema.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/** One teacher, or the target's frozen copy, as the trainer knows it. */
export interface Source {
  /** In the run. */
  readonly name: string;
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  /** Whether it works for the run at the moment. */
  attached: boolean;
  /** Documents that it is scoring or publishing, as it said last. */
  documentsInHand: number;
  /** Once it has been asked for. */
  tokenizer: Tokenizer | undefined;
}

/** The sources of a run, in the order in which ties between them are broken: the teachers, then the target. */
export function sourcesOf({ teachers, target }: Pick<RunConfig, 'teachers' | 'target'>): Source[] {
  return [...teachers, ...(target.source ? [target.source] : [])].map(({ name, address }) => ({
    name,
    address,
    attached: false,
    documentsInHand: 0,
    tokenizer: undefined,
  }));
}
