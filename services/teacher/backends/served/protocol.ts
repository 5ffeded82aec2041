/** What a server says about a text of n tokens, row i being the distribution of the token after tokens 0 … i. */
export interface AnswerColumns {
  /** [n × k] candidate ids, each row by falling probability. */
  readonly candidateIds: Int32Array;
  /** [n × k] natural log-probabilities. */
  readonly logProbabilities: Float32Array;
  /** [n] natural log-probability of token i after those before it; 0 for the first. */
  readonly tokenLogProbabilities: Float32Array;
}

/** A text to score: its token ids, and how many candidates of each row are asked for. */
export interface ScoreQuestion {
  readonly ids: Int32Array;
  readonly topK: number;
}

/** A request's settings under which a server tells what its model says; its defaults are what the model's authors chose. */
export const undistortedSampling = {
  temperature: 1,
  top_p: 1,
  top_k: -1,
  min_p: 0,
  repetition_penalty: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
};

/** How one kind of server is spoken to: what is sent, and what an answer means. No network, no state. */
export interface ServedProtocol {
  /** What people call the server. */
  readonly server: string;
  readonly scorePath: string;
  scoreBody(question: ScoreQuestion, model: string): string;
  /** @throws FuseMeshError data_loss when the answer is not one to the question */
  readScore(body: Buffer, question: ScoreQuestion): AnswerColumns;

  /** How a text's ids are learnt, those of special tokens in front included, where older servers have no /tokenize. */
  readonly idsOfScoredText?: {
    body(text: string): string;
    /** @throws FuseMeshError data_loss */
    read(body: Buffer): number[];
  };

  /** Where the server names its version, in the member `version`. */
  readonly versionPath: string;
  /** Flag of the longest text in tokens. */
  readonly contextFlag: string;
  /** Whether a refusal says that k is too large; and what to do about it. */
  refusesTopK(message: string): boolean;
  readonly topKAdvice: (topK: number) => string;
  /** Whether a refusal with status 400 is a fault of the server that passes. */
  passes(message: string): boolean;
  /** Flags that make the server say other than what its model says. */
  readonly suspects: string;
}
