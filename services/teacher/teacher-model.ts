import type { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import type { Content } from '../../model/chat/conversation.ts';
import type { GeneratedPiece, GenerationRequest } from '../../model/generation/generator.ts';
import type { Turn } from '../../model/runtime/turns.ts';
import type { ModelCard } from '../../model/scoring/model-card.ts';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/**
 * A model that teaches: all that the gRPC service, the work for runs, the registration and the metrics of a teacher
 * know of it. What computes stands behind it, in backends/.
 */
export interface TeacherModel {
  readonly card: ModelCard;
  /** Cuts texts into the model's tokens. Its file need not lie where the model computes. */
  readonly tokenizer: Tokenizer;
  /** How it reads conversations. */
  readonly template: ChatTemplate;
  /** 32 bytes that tell models apart which have the same card and tokenizer: replicas have the same. */
  readonly fingerprint: Uint8Array;
  /** What tells the model from others where the fingerprint is of its name only. Left out where it is of its weights. */
  readonly probe?: ServerProbe;
  /**
   * How many texts it works on side by side, each on its own. Left out, those of one call are a batch, and calls take
   * turns.
   */
  readonly textsAtOnce?: number;
  /** Resolves with the reason when the model can answer no more; never when it was closed. */
  readonly failed: Promise<FuseMeshError>;

  /**
   * Says how probable contents are, token by token. They do not change one another, and one that cannot be scored holds
   * up no other.
   *
   * @param topK k, the candidates of a row: 1 … vocabulary size
   * @param turn how the call waits for others: lanes take turns; aborted before its turn, nothing is computed, and a
   *   server's work on it is ended
   * @returns [contents] in their order
   * @throws FuseMeshError cancelled when the turn's signal aborts while the call waits; any other says that the
   *   model failed, whatever the contents
   */
  score(contents: readonly Content[], topK: number, turn: Turn): Promise<TextOutcome[]>;

  /**
   * Goes on with a prompt, piece by piece. Left out where the model scores only.
   *
   * @throws FuseMeshError invalid_argument for a prompt or numbers that it cannot take, cancelled when aborted,
   *   unimplemented where it turns out that it cannot generate
   */
  generate?(request: GenerationRequest, signal: AbortSignal): AsyncIterable<GeneratedPiece>;

  /** Frees what the model holds. Calls in hand fail. */
  close(): Promise<void>;
}

/** What the server that computes a model answered when it was met. */
export interface ServerProbe {
  /** Natural log-probabilities of the tokens of texts that are always the same. */
  readonly values: Float32Array;
  /** Of the server's program. */
  readonly version: string;
}

/** What came of scoring a text. */
export type TextOutcome = ScoredText | RefusedText;

/**
 * What this model can never score: a content too long for its context, without a token, or a conversation that its
 * template does not take.
 */
export interface RefusedText {
  /** Why, in a sentence for the run's dead letters. */
  readonly refusal: string;
}

export const isRefused = (outcome: TextOutcome): outcome is RefusedText => 'refusal' in outcome;
