import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import type { LearntLoss } from '../../model/chat/learnt-loss.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { findTextFiles } from '../../texts/find-text-files.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { type ChoiceAccuracy, choiceAccuracy } from './choice-accuracy.ts';
import { type Continuation, continuations, scoreContinuations } from './continuations.ts';
import { readQuestions } from './questions.ts';
import { scoreByScorer } from './score-pieces.ts';
import { type TextEvaluation, textEvaluation } from './text-evaluation.ts';

/** What a model is evaluated on, and how. */
export interface EvaluationRequest {
  /** Hugging Face directory, or an .onnx file. */
  readonly model: string;
  /** Files of texts or conversations, or directories of them. */
  readonly texts: readonly string[];
  /** .jsonl file of questions. */
  readonly choices?: string | undefined;
  /** Whether a question's context is what a user says in a chat, and its choices are answers. */
  readonly chat?: boolean | undefined;
  /** A file to take instead of the model's own chat template. */
  readonly chatTemplate?: string | undefined;
  /** Stands between a question's context and its choices; left out, a space, and nothing in a chat. */
  readonly delimiter?: string | undefined;
  /** Most tokens at once; left out, as many as the model takes, but no more than 2048. */
  readonly contextLength?: number | undefined;
  readonly threads: number;
}

/** What `fusemesh eval --json` prints. */
export interface ModelEvaluation {
  readonly model: string;
  readonly contextLength: number;
  /** One for each path; empty where there are only questions. */
  readonly texts: readonly TextEvaluation[];
  /** All texts together; null where there are none. */
  readonly total: TextEvaluation | null;
  /** Null where there are no questions. */
  readonly choices: ({ readonly path: string } & ChoiceAccuracy) | null;
}

/** Beyond it, attention takes much more memory and the figures hardly change. */
const longestByDefault = 2048;

/**
 * Evaluates a model on held-out texts and on questions with several choices.
 *
 * @param onProgress with how many pieces of text and questions are done, and of how many
 * @throws FuseMeshError not_found for a missing file, invalid_argument for one that does not fit or where there is
 * nothing to evaluate on, cancelled when aborted
 */
export async function evaluateModel(
  request: EvaluationRequest,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number, all: number) => void },
): Promise<ModelEvaluation> {
  const { model, texts, choices, chat = false, chatTemplate, threads } = request;
  const { delimiter = chat ? '' : ' ' } = request;
  if (texts.length === 0 && choices === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      'Nothing to evaluate on: name texts, or questions with --choices.',
    );
  }
  // Faults of the files show before anything is scored, most of them before the model is loaded.
  for (const path of texts) await findTextFiles(path);
  const questions = choices === undefined ? [] : await readQuestions(choices);

  const scorer = await Scorer.load(model, { topK: 1, threads, chatTemplate });
  try {
    const contextLength = contextOf(scorer, request);
    const encoder = new ContentEncoder(scorer.tokenizer, scorer.template);
    const pieces: Content[][] = [];
    for (const path of texts) pieces.push(await piecesOf(path, encoder, contextLength));
    const encoded: Continuation[][] = [];
    const asking = { ...(chat && { template: scorer.template }), delimiter, contextLength };
    for (const question of questions) {
      encoded.push(await continuations(scorer.tokenizer, question, asking));
    }

    let done = 0;
    const all = pieces.flat().length + questions.length;
    const onScored = (count: number) => {
      done += count;
      onProgress(done, all);
    };
    onScored(0);

    const losses: LearntLoss[][] = [];
    for (const ofPath of pieces)
      losses.push(await scoreByScorer(scorer, encoder, ofPath, { signal, onScored }));
    const logLikelihoods = await scoreContinuations(scorer, encoded, { signal, onScored });
    return {
      model,
      contextLength,
      texts: texts.map((path, i) => textEvaluation(path, losses[i])),
      total: texts.length === 0 ? null : textEvaluation('total', losses.flat()),
      choices: choices === undefined ? null : { path: choices, ...choiceAccuracy(questions, logLikelihoods) },
    };
  } finally {
    await scorer.close();
  }
}

function contextOf({ card }: Scorer, { model, contextLength }: EvaluationRequest): number {
  const length = contextLength ?? Math.min(card.contextLength, longestByDefault);
  if (length >= 2 && length <= card.contextLength) return length;
  throw new FuseMeshError(
    'invalid_argument',
    `The context length is ${length}, and ${model} takes 2 to ${card.contextLength} tokens: correct --context-length.`,
  );
}

async function piecesOf(path: string, encoder: ContentEncoder, contextLength: number): Promise<Content[]> {
  const skipped = new SkippedRows();
  const settings = { readers: [{ name: 'the model', encoder }], contextLength };
  const pieces = await heldOutPieces([{ domain: path, path }], settings, (row) => skipped.add(row));
  if (skipped.count > 0) process.stderr.write(`fusemesh: ${path}: ${skipped.sentence()}\n`);
  if (pieces.length > 0) return pieces.map(({ content }) => content);
  throw new FuseMeshError('invalid_argument', `${path} has no text: name a file that is not empty.`);
}
