/** A teacher without a model: all that its process does but scoring. Its requests are those of bench/mesh/request.ts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Content } from '../../model/chat/conversation.ts';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import { createLog } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { RunAttachment } from '../../services/teacher/attachment/run-attachment.ts';
import { teacherMetrics } from '../../services/teacher/metric-table.ts';
import type { TeacherModel } from '../../services/teacher/teacher-model.ts';
import { loadRealTokenizer, type RealTokenizer } from '../../test/support/real-tokenizer.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { answerLines, stopwatch } from './answer-lines.ts';
import {
  topK as defaultTopK,
  topP as defaultTopP,
  type Taken,
  type Teaching,
  type Texts,
  teacherBatchDocuments,
} from './request.ts';
import { syntheticScores } from './synthetic-scores.ts';

const [name] = process.argv.slice(2) as [RealTokenizer];
const lookEvery = 5;

const log = createLog('bench', { level: 'silent' });
const tokenizer = await loadRealTokenizer(name);
const metrics = teacherMetrics(createRegister({}));
const scores = new Map<Content, ScoredText>();

async function prepare({ texts, topK = defaultTopK }: Texts): Promise<{ readonly tokens: number }> {
  const tokenizations = await tokenizer.encodeBatch(texts);
  for (const [i, scored] of syntheticScores(texts, tokenizations, topK, name.length).entries()) {
    scores.set(texts[i], scored);
  }
  return { tokens: tokenizations.reduce((sum, { ids }) => sum + ids.length, 0) };
}

const modelOf = (
  tokensPerSecond: number | undefined,
): Pick<TeacherModel, 'score' | 'tokenizer' | 'card'> => ({
  tokenizer,
  card: { family: name, parameters: 0, vocabularySize: tokenizer.vocabularySize, contextLength: 0 },
  async score(contents) {
    const scored = contents.map((content) => scores.get(content)!);
    if (tokensPerSecond !== undefined) await sleep((1000 * tokensOf(scored)) / tokensPerSecond);
    return scored;
  },
});

const tokensOf = (scored: readonly ScoredText[]) =>
  scored.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);

async function teach({
  url,
  run,
  documents,
  teacher,
  tokensPerSecond,
  topK = defaultTopK,
  topP = defaultTopP,
}: Teaching): Promise<Taken> {
  const taken = stopwatch();
  const connection = await connectNats(url, `teacher ${teacher}`);
  const streams = openRunStreams(connection, run);
  // A document that took long is delivered twice, and counts once.
  const published = new Set<number>();
  const attachment = new RunAttachment(
    { run, teacher, topK, topP },
    {
      streams: {
        consumeDocuments: streams.consumeDocuments,
        async publishDistribution(from, document, bytes, options) {
          await streams.publishDistribution(from, document, bytes, options);
          published.add(document);
        },
      },
      model: modelOf(tokensPerSecond),
      batchDocuments: teacherBatchDocuments,
      metrics: metrics({ run, teacher }),
      log,
    },
  );
  let left = false;
  const leave = () => {
    left = true;
  };
  attachment.ended.then(leave, leave);
  while (published.size < documents) {
    if (left) throw new Error(`${teacher} left the run`);
    await sleep(lookEvery);
  }
  const { tokensScored, bytesPublished } = attachment.status();
  const answer = { ...taken(), tokens: Number(tokensScored), bytes: Number(bytesPublished) };
  await attachment.detach();
  await connection.close();
  return answer;
}

await answerLines<Texts | Teaching, Taken | { readonly tokens: number }>((request) =>
  'texts' in request ? prepare(request) : teach(request),
);
