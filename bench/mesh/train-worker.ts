/** The trainer of the benchmark `mesh` that does train: on a run's streams, or on what it has in memory. */

import { join } from 'node:path';
import { TrainingEngine } from '../../engine/training-engine.ts';
import type { FusedBatch } from '../../fusion/batch/batches.ts';
import type { UsableDocument } from '../../fusion/batch/joined-document.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { initialState } from '../../trainer/checkpoint/training-state.ts';
import { train } from '../../trainer/loop.ts';
import { recordedBatches } from '../../trainer/pipeline.ts';
import { TimeSpent } from '../../trainer/report/time-spent.ts';
import { TrainingControl } from '../../trainer/report/training-control.ts';
import { distributionFromBytes, distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { zoo } from '../fusion/zoo-documents.ts';
import { engineOptions } from '../training/engine-options.ts';
import { answerLines, stopwatch } from './answer-lines.ts';
import { openRun } from './open-run.ts';
import { type Recorded, type Run, type Taken, type Texts, topK, topP } from './request.ts';
import { fusion, openSources } from './sources.ts';
import { syntheticScores } from './synthetic-scores.ts';

const contextLength = 256;
const batchDocuments = 8;
/** One, so that what streams has the other core to itself. */
const threads = 1;

const target = await Tokenizer.fromFile(join(zoo, 'target', 'tokenizer.json'));
const sources = await openSources(target);
const engine = await TrainingEngine.start(
  join(zoo, 'target'),
  engineOptions({ lengths: [contextLength], candidates: topK }, threads),
);
const never = new AbortController().signal;
let recorded: UsableDocument[] = [];

async function record({ texts }: Texts): Promise<{ readonly tokens: number }> {
  const said = await Promise.all(
    sources.map(async ({ name, tokenizer }) => {
      const origin = { teacher: name, tokenizerFingerprint: tokenizer.fingerprint };
      const scores = syntheticScores(texts, await tokenizer.encodeBatch(texts), topK, name.length);
      return scores.map((one, document) => {
        const distribution = { ...one, ...origin, document };
        return distributionFromBytes(distributionToBytes(distribution, tokenizer.vocabularySize, topP));
      });
    }),
  );
  recorded = texts.map((text, number) => ({
    number,
    content: text,
    distributions: said.map((all) => all[number]),
  }));
  const tokenizations = await target.encodeBatch(texts);
  return { tokens: tokenizations.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/** @param cover called after each step with the number of documents that a checkpoint would cover */
async function trainOn(
  batches: AsyncIterator<FusedBatch>,
  documents: number,
  cover: (documents: number) => Promise<void>,
): Promise<number> {
  const steps = Math.ceil(documents / batchDocuments);
  let tokens = 0;
  await train({
    engine,
    batches,
    resumedFrom: undefined,
    checkpointEvery: steps + 1,
    signal: never,
    state: initialState('bench', ''),
    schedule: { kind: 'constant', peak: 1e-4, warmupSteps: 0, totalSteps: steps },
    sources: sources.map(({ name }) => name),
    control: new TrainingControl(new Notifier()),
    log: createLog('bench', { level: 'silent' }),
    save: async () => '',
    time: new TimeSpent(),
    report: ({ step }, { count }) => {
      tokens += count.positions;
      void cover(step * batchDocuments);
    },
  });
  return tokens;
}

async function trainRecorded({ recorded: documents }: Recorded): Promise<Taken> {
  const taken = stopwatch();
  const joined = async function* () {
    for (let number = 0; number < documents; number++) {
      yield { ...recorded[number % recorded.length], number };
    }
  };
  const batchesOf = await recordedBatches({
    sources: sources.map(({ name, tokenizer }) => ({ name, encoder: ContentEncoder.ofBaseModel(tokenizer) })),
    batchDocuments,
    contextLength,
    encoder: ContentEncoder.ofBaseModel(target),
    fusion,
    passOver: async () => {},
    signal: never,
    log: createLog('bench', { level: 'silent' }),
  });
  const tokens = await trainOn(batchesOf(joined()), documents, async () => {});
  return { ...taken(), tokens, bytes: 0 };
}

async function trainStreamed(run: Run): Promise<Taken> {
  const taken = stopwatch();
  const { batches, bytes, cover, close } = await openRun(run, target, sources, {
    batchDocuments,
    contextLength,
  });
  const tokens = await trainOn(batches, run.documents, cover);
  const answer = { ...taken(), tokens, bytes: bytes() };
  await close();
  return answer;
}

await answerLines<Texts | Run | Recorded, Taken | { readonly tokens: number }>((request) => {
  if ('texts' in request) return record(request);
  return 'recorded' in request ? trainRecorded(request) : trainStreamed(request);
});
await engine.close();
