import { baseFormat, type ChatFormat } from '../../../model/chat/chat-format.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { sourcesOf } from '../../../process/config/run-sources.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { TeacherRunStatus } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { SourceModel } from './source-model.ts';

/** How a process's work for the run goes, as it says itself. */
export type SourceSaid = Pick<
  TeacherRunStatus,
  'documentsInHand' | 'documentsScored' | 'tokensPerSecond' | 'waitingForRoom'
>;

/** Of a process that is not there. */
export const nothingSaid: SourceSaid = {
  documentsInHand: 0,
  documentsScored: 0n,
  tokensPerSecond: 0,
  waitingForRoom: false,
};

/** One process of a source. */
export interface Replica {
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  /** Of the process there; undefined before it was asked. */
  instance: string | undefined;
  /** Whether it works for the run at the moment. */
  attached: boolean;
  /** What it said last of its work for the run. */
  said: SourceSaid;
  /** How often it has said anything; one that works does so every second. */
  words: number;
}

export const replicaAt = (address: string, instance?: string): Replica => ({
  address,
  instance,
  attached: false,
  said: nothingSaid,
  words: 0,
});

/** What replicas of a source have in common: they serve one model, and were started with a run file of one run. */
export interface SourceIdentity {
  /** Its operator's name for it. */
  readonly teacher: string;
  readonly run: string;
  /** In hexadecimal. */
  readonly modelFingerprint: string;
}

/** One teacher, or the target's frozen copy, as the trainer knows it: one process or several that share the work. */
export class Source {
  /** In the run. */
  readonly name: string;
  /** What its services are called with. */
  readonly security: RunConfig['security'];
  /** The process that the run file names. */
  readonly named: Replica;
  /** Processes found beside it. */
  readonly found = new Set<Replica>();
  /** Undefined before a process of it is attached, or remembered from an earlier start. */
  tokenizer: Tokenizer | undefined;
  /** How its model reads conversations; known with the tokenizer. */
  chatFormat: ChatFormat = baseFormat;
  /** Of its model: as large as its tokenizer's or larger. Known with the tokenizer; 0 before. */
  vocabularySize = 0;
  /** Of the first process that was attached, in this training or before it was started again. */
  model: SourceModel | undefined;
  /** Of the first process that was attached. */
  identity: SourceIdentity | undefined;

  constructor(name: string, address: string, security: RunConfig['security']) {
    this.name = name;
    this.security = security;
    this.named = replicaAt(address);
  }

  /** All processes; one that was found under another address too is listed once. */
  get replicas(): Replica[] {
    const others = [...this.found].filter(({ instance }) => instance !== this.named.instance);
    return [this.named, ...others];
  }

  /** Those that work for the run at the moment. */
  get working(): Replica[] {
    return this.replicas.filter(({ attached }) => attached);
  }

  /** Whether one at least does. */
  get attached(): boolean {
    return this.working.length > 0;
  }

  /** The sum of what they say. */
  get said(): SourceSaid {
    const said = this.working.map((replica) => replica.said);
    return said.reduce(
      (sum, one) => ({
        documentsInHand: sum.documentsInHand + one.documentsInHand,
        documentsScored: sum.documentsScored + one.documentsScored,
        tokensPerSecond: sum.tokensPerSecond + one.tokensPerSecond,
        waitingForRoom: sum.waitingForRoom || one.waitingForRoom,
      }),
      nothingSaid,
    );
  }

  /** Those that can be asked; where nobody is known to work, the one that the run file names. */
  get askable(): Replica[] {
    const { working } = this;
    return working.length > 0 ? working : [this.named];
  }
}

/** The sources of a run before any process of theirs is attached. */
export const unattachedSources = (config: RunConfig): Source[] =>
  sourcesOf(config).map(({ name, address }) => new Source(name, address, config.security));
