import type { RunConfig } from '../../mesh/config/schema.ts';
import type { TeacherRunStatus } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/** One teacher, or the target's frozen copy, as the trainer knows it. */
export interface Source {
  /** In the run. */
  readonly name: string;
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  /** Whether it works for the run at the moment. */
  attached: boolean;
  /** What it said last of its work for the run. */
  said: SourceSaid;
  /** Once it has been asked for. */
  tokenizer: Tokenizer | undefined;
  /** Of its model: as large as its tokenizer's or larger. Known with the tokenizer. */
  vocabularySize: number;
}

/** How a source's work for the run goes, as it says itself. */
export type SourceSaid = Pick<
  TeacherRunStatus,
  'documentsInHand' | 'documentsScored' | 'tokensPerSecond' | 'waitingForRoom'
>;

/** Of a source that is not there. */
export const nothingSaid: SourceSaid = {
  documentsInHand: 0,
  documentsScored: 0n,
  tokensPerSecond: 0,
  waitingForRoom: false,
};

/** The sources of a run, in the order in which ties between them are broken: the teachers, then the target. */
export function sourcesOf({ teachers, target }: Pick<RunConfig, 'teachers' | 'target'>): Source[] {
  return [...teachers, ...(target.source ? [target.source] : [])].map(({ name, address }) => ({
    name,
    address,
    attached: false,
    said: nothingSaid,
    tokenizer: undefined,
    vocabularySize: 0,
  }));
}
