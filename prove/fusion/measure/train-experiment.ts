import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { EngineSnapshot } from '../../../engine/engine-snapshot.ts';
import { TrainingEngine } from '../../../engine/training-engine.ts';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { UsableDocument } from '../../../fusion/batch/joined-document.ts';
import { fusionOf } from '../../../fusion/fusion-of-run.ts';
import { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import { encoderIn } from '../../../services/feeder/encoders-of-run.ts';
import { initialState, type TrainingState } from '../../../trainer/checkpoint/training-state.ts';
import { engineOptionsOf } from '../../../trainer/engine-of-run.ts';
import { openHeldOut } from '../../../trainer/held-out.ts';
import { train } from '../../../trainer/loop.ts';
import { recordedBatches } from '../../../trainer/pipeline.ts';
import { type RecordedReading, recordedDocuments } from '../../../trainer/recording/recorded-documents.ts';
import { Recording } from '../../../trainer/recording/recording.ts';
import { TimeSpent } from '../../../trainer/report/time-spent.ts';
import { TrainingControl } from '../../../trainer/report/training-control.ts';
import { scheduleOf } from '../../../trainer/schedule.ts';
import type { ExperimentSettings } from '../experiment.ts';
import { refuseStopped } from './refuse-stopped.ts';

/** An experiment with all that it is made of. */
export interface Trial extends Pick<ExperimentSettings, 'config' | 'topP'> {
  /** The text of each document of the run, in the order in which they are trained on. */
  readonly texts: readonly string[];
  /** Number that each of these documents has in the recordings. */
  readonly recorded: readonly number[];
  /** In the order in which ties between them are broken. */
  readonly sources: readonly RecordedModel[];
  /** Hugging Face directories of all models by whose tokenizers texts are cut. */
  readonly tokenizers: readonly string[];
  /** Shared between threads: other than 0 when the training is to end before its next step. */
  readonly stop: Int32Array;
}

interface RecordedModel {
  readonly name: string;
  /** Directory. */
  readonly recording: string;
}

/** What came of it. */
export interface Outcome {
  /** Of the held-out texts, by domain. */
  readonly bitsPerByte: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly skippedSteps: number;
  /** Trained on. */
  readonly tokens: number;
  readonly seconds: number;
  /** Of the weights, in hexadecimal. */
  readonly weightsSha256: string;
}

const log = createLog('prove', { level: 'silent' });

/**
 * Trains the target as the trainer of a run does, on recordings in place of the streams, and evaluates it.
 *
 * @throws FuseMeshError cancelled when it was stopped
 */
export async function trainExperiment({
  config,
  topP,
  texts,
  recorded,
  sources,
  tokenizers,
  stop,
}: Trial): Promise<Outcome> {
  const began = performance.now();
  const { trainer, contextLength, topK, target, heldOut } = config;
  const fusion = fusionOf(config);
  const tokenizer = await tokenizerOf(target.model);
  const stopping = new AbortController();
  const { signal } = stopping;
  const recordings = await Promise.all(
    sources.map(({ name, recording }) => Recording.open(recording, [name])),
  );
  const batchesOf = await recordedBatches({
    sources: recordings.flatMap((recording) => recording.sources),
    batchDocuments: trainer.batchDocuments,
    contextLength,
    encoder: ContentEncoder.ofBaseModel(tokenizer),
    fusion,
    passOver: async ({ number }, reason) => {
      throw cannotBeLearnt(number, reason);
    },
    signal,
    log,
  });
  const evaluate = await openHeldOut(
    heldOut,
    await Promise.all(tokenizers.map((model) => encoderIn(model))),
    {
      target: await encoderIn(target.model),
      contextLength,
      onSkipped: () => undefined,
    },
  );
  const engine = await TrainingEngine.start(target.model, engineOptionsOf(config, fusion));
  try {
    const totalSteps = Math.ceil(texts.length / trainer.batchDocuments);
    let end: TrainingState = initialState(config.run, '');
    await train({
      engine,
      batches: batchesOf(joinRecorded(texts, recordings, { numbers: recorded, topK, topP, signal })),
      resumedFrom: undefined,
      checkpointEvery: totalSteps + 1,
      signal,
      log,
      state: end,
      schedule: scheduleOf(trainer, totalSteps),
      sources: sources.map(({ name }) => name),
      control: new TrainingControl(new Notifier()),
      save: async (state) => {
        end = state;
        return '';
      },
      time: new TimeSpent(),
      report: () => {
        if (Atomics.load(stop, 0) !== 0) stopping.abort();
      },
    });
    refuseStopped(signal);
    const bitsPerByte = await evaluate(engine);
    return {
      bitsPerByte,
      steps: end.step,
      skippedSteps: end.skippedSteps,
      tokens: end.tokens,
      seconds: (performance.now() - began) / 1000,
      weightsSha256: digestWeights(await engine.snapshot()),
    };
  } finally {
    await engine.close();
    for (const recording of recordings) await recording.close();
  }
}

const tokenizerOf = (model: string): Promise<Tokenizer> => Tokenizer.fromFile(join(model, 'tokenizer.json'));

/** Documents are numbered in the order in which they are trained on. */
async function* joinRecorded(
  texts: readonly string[],
  recordings: readonly Recording[],
  reading: RecordedReading,
): AsyncGenerator<UsableDocument> {
  const sources = recordings.map((recording) => recordedDocuments(recording, reading));
  for (const [number, text] of texts.entries()) {
    const parts: UsableDocument[] = [];
    for (const documents of sources) {
      const { done, value } = await documents.next();
      // Stopped.
      if (done) return;
      if (value.unusable !== undefined) throw cannotBeLearnt(number, value.unusable);
      parts.push(value);
    }
    yield { number, content: text, distributions: parts.flatMap(({ distributions }) => distributions) };
  }
}

const cannotBeLearnt = (number: number, reason: string): FuseMeshError =>
  new FuseMeshError('internal', `Document ${number} cannot be learnt from: ${reason}.`);

function digestWeights({ tensors }: EngineSnapshot): string {
  const hash = createHash('sha256');
  for (const { name, weights } of tensors) hash.update(name).update(new Uint8Array(weights.buffer));
  return hash.digest('hex');
}
