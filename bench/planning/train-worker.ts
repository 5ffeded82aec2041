/** Trains a run's target on documents and distributions that it is given, and says how fast. */
import { TrainingEngine } from '../../engine/training-engine.ts';
import type { UsableDocument } from '../../fusion/batch/joined-document.ts';
import { fusionOf } from '../../fusion/fusion-of-run.ts';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { createLog } from '../../process/log/log.ts';
import { encoderIn } from '../../services/feeder/encoders-of-run.ts';
import { engineOptionsOf } from '../../trainer/engine-of-run.ts';
import { openHeldOut } from '../../trainer/held-out.ts';
import { recordedBatches } from '../../trainer/pipeline.ts';
import { distributionFromBytes } from '../../wire/codec/distribution-bytes.ts';
import { answerLines } from '../mesh/answer-lines.ts';
import type { TrainedFor, Training } from './calibration-request.ts';

const [runFile] = process.argv.slice(2);
const config = await loadRunConfig(runFile);
const { contextLength, target } = config;
const { batchDocuments } = config.trainer;
const fusion = fusionOf(config);
const encoder = await encoderIn(target.model, target.chatTemplate);
const sources = await Promise.all(
  sourcesOf(config).map(async ({ name, tokenizer, model, chatTemplate }) => ({
    name,
    encoder: await encoderIn((tokenizer ?? model)!, chatTemplate),
  })),
);
const engine = await TrainingEngine.start(target.model, engineOptionsOf(config, fusion));
const batchesOf = await recordedBatches({
  sources,
  batchDocuments,
  contextLength,
  encoder,
  fusion,
  passOver: async () => {},
  signal: new AbortController().signal,
  log: createLog('bench', { level: 'silent' }),
});
/** Of no consequence for the speed. */
const learningRate = 1e-6;
let documents: UsableDocument[] = [];

async function* again(): AsyncGenerator<UsableDocument> {
  for (let number = 0; ; number++) yield { ...documents[number % documents.length], number };
}

async function trainFor(seconds: number): Promise<TrainedFor> {
  let [steps, tokens, computeSeconds, optimizerSeconds, fusionSeconds] = [0, 0, 0, 0, 0];
  const began = performance.now();
  for await (const batch of batchesOf(again())) {
    const started = performance.now();
    const result = await engine.step(batch.batch, learningRate);
    const stepSeconds = (performance.now() - started) / 1000;
    steps++;
    tokens += batch.batch.lengths.reduce((a, b) => a + b, 0);
    optimizerSeconds += result.optimizerSeconds;
    computeSeconds += stepSeconds - result.optimizerSeconds;
    fusionSeconds += batch.fusionSeconds;
    if (performance.now() - began > 1000 * seconds) break;
  }
  return {
    steps,
    tokens,
    computeSeconds,
    optimizerSeconds,
    fusionSeconds,
    evaluationSeconds: config.trainer.evaluateEvery === undefined ? 0 : await secondsOf(await evaluation()),
    snapshotSeconds: await secondsOf(() => engine.snapshot()),
  };
}

async function evaluation(): Promise<() => Promise<unknown>> {
  const all = [encoder, ...sources.map((source) => source.encoder)];
  const reading = { target: encoder, contextLength, onSkipped: () => {} };
  const evaluate = await openHeldOut(config.heldOut, all, reading);
  return () => evaluate(engine);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

await answerLines<Training, TrainedFor | Record<string, never>>(async (request) => {
  if ('seconds' in request) return trainFor(request.seconds);
  documents = request.contents.map((content, number) => ({
    number,
    content,
    distributions: request.distributions[number].map((said) =>
      distributionFromBytes(new Uint8Array(Buffer.from(said, 'base64'))),
    ),
  }));
  return {};
});
await engine.close();
