/** What is known of a teacher at work. */
export interface TeacherProgress {
  readonly name: string;
  readonly tokensPerSecond: number;
  readonly documentsScored: number;
  /** It waits for the trainer to make room in the stream. */
  readonly waitingForRoom: boolean;
}

/** What is known of the trainer at work. */
export interface TrainerProgress {
  readonly step: number;
  readonly stepsTotal: number;
  readonly loss: number;
  readonly causalLoss: number;
  readonly fusionLoss: number;
  readonly tokensPerSecond: number;
  /** Documents trained on. */
  readonly documents: number;
  /** Documents that at least one teacher has scored and the trainer has not trained on. */
  readonly documentsWaiting: number;
  /** Undefined until a step has been seen to take time. */
  readonly secondsLeft: number | undefined;
}

/** The state of a whole run at one moment. */
export interface RunProgress {
  /** Seconds since the command began. */
  readonly seconds: number;
  /** Undefined before the feeder has counted the corpus. */
  readonly fed: { readonly published: number; readonly total: number } | undefined;
  readonly teachers: readonly TeacherProgress[];
  /** Undefined before the first step. */
  readonly trainer: TrainerProgress | undefined;
}
