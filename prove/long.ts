/**
 * Documents of 32,768 tokens with 200 candidates a token, through a NATS server that takes messages of 1 MB: a run of
 * real processes with tiny random models, and the most memory that each process had.
 *
 * --tokens N   length of the longest document (32768)
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeRandomLlama } from '../bench/random-llama.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { disturbedRun } from '../test/end-to-end/disturbed-run.ts';
import { makeSmallCorpus, smallTrainer, zoo } from '../test/end-to-end/small-run.ts';

const { values } = parseArgs({ options: { tokens: { type: 'string', default: '32768' } } });
const contextLength = Number(values.tokens);
const topK = 200;
/** Of each domain: more than one whole document. */
const bytesOfDomain = 4 * contextLength;
const sizes = {
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 1,
  num_key_value_heads: 1,
  max_position_embeddings: contextLength,
};
const lookEvery = 200;

const corpus = await makeSmallCorpus({ bytesOfDomain });
try {
  const models = await Promise.all(['orator', 'novelist', 'engineer', 'target'].map(writeTinyModel));
  const [orator, novelist, engineer, target] = models;
  const teacher = (name: string, model: string) => ({
    name,
    address: '127.0.0.1:0',
    model,
    batchDocuments: 1,
  });
  let parts = 0;
  const outcome = await disturbedRun(corpus, `long-${process.pid}`, {
    maxPayload: '1MB',
    changes: {
      contextLength,
      topK,
      heldOut: [],
      teachers: [teacher('orator', orator), teacher('novelist', novelist), teacher('engineer', engineer)],
      target: { model: target, source: { address: '127.0.0.1:0', batchDocuments: 1 } },
      trainer: {
        ...smallTrainer,
        output: join(corpus.directory, `long-${process.pid}`),
        batchDocuments: 1,
        tokensAtOnce: contextLength,
        recompute: true,
      },
    },
    disturb: async ({ mesh }) => {
      // Looked at while it runs: what a checkpoint covers is removed.
      let over = false;
      void mesh.trainer.done.then(() => {
        over = true;
      });
      while (!over) {
        parts = Math.max(parts, (await mesh.held().catch(() => undefined))?.parts ?? 0);
        await sleep(lookEvery);
      }
    },
  });
  const { seconds, state, mesh } = outcome;
  console.log(`${state.documents} documents of up to ${contextLength} tokens, k = ${topK}, in ${seconds} s`);
  console.log(`At most ${parts} parts of distributions were in the stream`);
  for (const { name, lives } of mesh.parts) {
    console.log(
      `${name}: ${Math.round(Math.max(...lives.map(({ peakBytes }) => peakBytes)) / 2 ** 20)} MiB at most`,
    );
  }
  if (parts === 0) {
    throw new FuseMeshError('failed_precondition', 'Nothing travelled in parts: give more --tokens.');
  }
} finally {
  await corpus.remove();
}

/** A random model with the tokenizer of one of the example models. */
async function writeTinyModel(name: string): Promise<string> {
  const directory = join(corpus.directory, 'models', name);
  await cp(join(zoo, name), directory, {
    recursive: true,
    filter: (path) => !/(config\.json|\.safetensors)$/.test(path),
  });
  await writeRandomLlama(directory, { vocab_size: 3000, ...sizes });
  return directory;
}
