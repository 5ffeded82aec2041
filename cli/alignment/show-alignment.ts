import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type Alignment, alignBySharedBoundaries, says } from '../../fusion/align/alignment.ts';
import { withoutTemplates } from '../../fusion/align/templates.ts';
import { rowsByBoundary } from '../../fusion/fuse/source-row.ts';
import { emptyRow } from '../../fusion/fuse/sparse-row.ts';
import { minimumEditDistanceMap } from '../../fusion/fusellm/fusellm.ts';
import { exactVocabularyMap, NOT_MAPPED } from '../../fusion/vocabulary/exact-map.ts';
import { prefixVocabularyMap } from '../../fusion/vocabulary/prefix-map.ts';
import { type SourceVocabulary, sourceVocabulary } from '../../fusion/vocabulary/source-vocabulary.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { contentText } from '../../model/chat/content-layout.ts';
import type { Content, Conversation } from '../../model/chat/conversation.ts';
import { messagesOf, toolsOf } from '../../model/chat/messages.ts';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { marks, picture, quoted } from './picture.ts';

/** Candidates of the source that are shown. */
const topK = 10;

interface Question {
  readonly content: Content;
  /** Directories. */
  readonly source: string;
  readonly target: string;
  /** The beginning of the text after which the source is asked. */
  readonly after: string | undefined;
  /** Characters of a line. */
  readonly width: number;
  readonly vocabulary: 'exact' | 'prefix' | 'minED';
  /** Hears how many tokens of the source are mapped, where that takes long. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** A source and a target over one content. */
interface Pair {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly cutBySource: Tokenization;
  readonly cutByTarget: Tokenization;
}

/**
 * Lines that show how well two tokenizers align, and what one position of the source becomes. Of a conversation, also
 * how each model's template renders it.
 */
export async function* showAlignment(question: Question): AsyncGenerator<string> {
  const { content, width } = question;
  const encoders = await Promise.all([question.source, question.target].map(encoderIn));
  const [source, target] = encoders.map(({ tokenizer }) => tokenizer);
  const [cutBySource, cutByTarget] = await Promise.all(
    encoders.map(async (encoder) => (await encoder.encodeBatch([content]))[0]),
  );
  const pair = { source, target, cutBySource, cutByTarget };
  const alignment = alignmentOf(content, pair);
  if (typeof content !== 'string') yield* renderings(content, encoders);
  yield `source above, target below; ${legend}`;
  yield '';
  yield* picture(contentText(content), cutBySource, cutByTarget, alignment, width);
  yield '';
  yield positionsLine(pair, alignment);
  const vocabulary = await sourceVocabulary(await mapOf(question, source, target), source, target);
  yield vocabularyLine(vocabulary, question.vocabulary);
  if (question.after !== undefined) yield* onePosition(question, pair, vocabulary);
}

async function encoderIn(directory: string): Promise<ContentEncoder> {
  const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  return new ContentEncoder(tokenizer, await ChatTemplate.fromDirectory(directory));
}

function alignmentOf(content: Content, { cutBySource, cutByTarget }: Pair): Alignment {
  const source = {
    ...cutBySource,
    tokenLogProbabilities: new Float32Array(cutBySource.ids.length),
  };
  const alignment = alignBySharedBoundaries(cutByTarget.ends, source);
  return typeof content === 'string'
    ? alignment
    : withoutTemplates(alignment, cutByTarget, cutBySource, content);
}

/** A conversation as each model reads it. */
function* renderings(conversation: Conversation, encoders: readonly ContentEncoder[]): Generator<string> {
  for (const [i, { template }] of encoders.entries()) {
    yield `The ${i === 0 ? 'source' : 'target'} reads:`;
    const rendered = template.render(messagesOf(conversation), {
      tools: toolsOf(conversation),
      addGenerationPrompt: false,
    });
    for (const line of rendered.split('\n')) yield `  ${line}`;
    yield '';
  }
}

async function mapOf(
  { vocabulary, onProgress }: Question,
  source: Tokenizer,
  target: Tokenizer,
): Promise<Int32Array> {
  switch (vocabulary) {
    case 'exact':
      return exactVocabularyMap(source, target);
    case 'prefix':
      return prefixVocabularyMap(source, target);
    case 'minED':
      return minimumEditDistanceMap(source, target, counted(source.vocabularySize, onProgress));
  }
}

/** 0 … count − 1; says now and then how far it is. */
function* counted(count: number, onProgress: Question['onProgress']): Generator<number> {
  for (let id = 0; id < count; id++) {
    if (id % 256 === 0) onProgress?.(id, count);
    yield id;
  }
  onProgress?.(count, count);
}

const rules = {
  exact: 'go to none',
  prefix: 'go to the first token of their text',
  minED: 'go to the token of least edit distance',
} as const;

const legend =
  `${marks[says.candidates]} aligned  ${marks[says.chained]} the source splits the target's next token  ` +
  `${marks[says.beginning]} and never ends with it  ${marks[says.nothing]} not aligned, or the end  ╎ inside of a character`;

const percent = (part: number, whole: number): string =>
  `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;

function positionsLine({ cutBySource, cutByTarget }: Pair, { kinds }: Alignment): string {
  const positions = Math.max(0, kinds.length - 1);
  const count = (kind: number) => kinds.reduce((sum, one) => sum + Number(one === kind), 0);
  const [aligned, chained] = [count(says.candidates), count(says.chained)];
  return (
    `Positions: ${percent(aligned + chained + count(says.beginning), positions)} of the target's ${positions} are aligned, ` +
    `${percent(chained, positions)} by chained probabilities ` +
    `(${cutBySource.ids.length} tokens of the source, ${cutByTarget.ids.length} of the target).`
  );
}

function vocabularyLine({ ids, exact }: SourceVocabulary, kind: Question['vocabulary']): string {
  const same = exact.reduce((sum, one) => sum + one, 0);
  const others = ids.length - same;
  return (
    `Vocabulary: of the source's ${ids.length} tokens the target has ${percent(same, ids.length)}; ` +
    `the other ${percent(others, ids.length)} ${rules[kind]}, special ones to none.`
  );
}

async function* onePosition(
  { content, source: directory, after }: Question,
  pair: Pair,
  vocabulary: SourceVocabulary,
): AsyncGenerator<string> {
  const position = pair.cutByTarget.ends.lastIndexOf(Buffer.byteLength(after!));
  if (position === -1 || position === pair.cutByTarget.ids.length - 1) {
    throw new FuseMeshError(
      'invalid_argument',
      `No token of the target ends after ${quoted(after!)} with another behind it: take one of the bars above`,
    );
  }
  if (!hasWeights(directory)) {
    throw new FuseMeshError(
      'not_found',
      `${directory} has no weights: --after needs the whole model of the source`,
    );
  }
  const scorer = await Scorer.load(directory, { topK, threads: 2 });
  try {
    const [scored] = await scorer.score([content]);
    yield '';
    yield* positionLines(position, scored, pair, vocabulary);
  } finally {
    await scorer.close();
  }
}

const hasWeights = (directory: string): boolean =>
  ['model.safetensors', 'model.safetensors.index.json', 'model.onnx', 'onnx/model.onnx'].some((name) =>
    existsSync(join(directory, name)),
  );

/** What the source says at a position, and what it becomes. */
function* positionLines(
  position: number,
  scored: ScoredText,
  { source, target, cutByTarget }: Pair,
  vocabulary: SourceVocabulary,
): Generator<string> {
  const alignment = alignBySharedBoundaries(cutByTarget.ends, scored);
  const label = cutByTarget.ids[position + 1];
  const row = alignment.rows[position];
  yield `The target's next token is ${tokenText(target, label)}. The source ${
    row === -1 ? 'has no token that ends here: nothing is learnt from it.' : 'says:'
  }`;
  if (row === -1) return;
  for (let i = row * topK; i < (row + 1) * topK; i++) {
    const id = scored.candidateIds[i];
    const to = vocabulary.ids[id] ?? NOT_MAPPED;
    const becomes =
      to === NOT_MAPPED
        ? 'nothing'
        : vocabulary.exact[id]
          ? 'the same'
          : `${tokenText(target, to)}, by the rule`;
    yield `  ${tokenText(source, id).padEnd(18)} ${Math.exp(scored.logProbabilities[i]).toFixed(4)}  ${becomes}`;
  }
  const fused = emptyRow(topK + 1);
  const mass = { exact: 0, byRule: 0, dropped: 0 };
  rowsByBoundary(scored, alignment, vocabulary, 1)(position, label, fused, mass);
  yield `The target learns${alignment.kinds[position] === says.chained ? ' (the first by chained probabilities)' : ''}:`;
  for (let i = 0; i < fused.count; i++)
    yield `  ${tokenText(target, fused.ids[i]).padEnd(18)} ${fused.probabilities[i].toFixed(4)}`;
  const outside = 1 - mass.exact - mass.byRule - mass.dropped;
  yield `  ${mass.dropped.toFixed(4)} is dropped, ${Math.max(0, outside).toFixed(4)} lies outside of the ${topK} candidates.`;
}

const tokenText = (tokenizer: Tokenizer, id: number): string => {
  const text = tokenizer.tokenText(id);
  return tokenizer.tokenBytes(id) === undefined ? text : quoted(text);
};
