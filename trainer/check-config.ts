import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { sourcesOf } from '../process/config/run-sources.ts';
import type { RunConfig } from '../process/config/schema.ts';

/**
 * Refuses what would make a run stand still or mix up its sources.
 *
 * @throws FuseMeshError invalid_argument that names the keys
 */
export function checkTrainerConfig(config: RunConfig): void {
  const { nats, trainer, heldOut } = config;
  const names = sourcesOf(config).map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      `teachers: two sources are named ${twice}, give each its own name (target.source.name counts too).`,
    );
  }
  if (trainer.join !== 'all' && trainer.join.atLeast > names.length) {
    throw new FuseMeshError(
      'invalid_argument',
      `trainer.join.atLeast is ${trainer.join.atLeast}, but the run has ${names.length} sources (${names.join(', ')}): lower it.`,
    );
  }
  if (trainer.execution === 'cpu' && trainer.precision !== 'float32') {
    throw new FuseMeshError(
      'invalid_argument',
      `trainer.precision is ${trainer.precision}, which is for GPUs: leave it out, or set trainer.execution: cuda.`,
    );
  }
  if (trainer.evaluateEvery !== undefined && heldOut.length === 0) {
    throw new FuseMeshError(
      'invalid_argument',
      `trainer.evaluateEvery is ${trainer.evaluateEvery}, but heldOut names no texts to evaluate on: add some, or leave it out.`,
    );
  }
  // A teacher that dies with documents in hand leaves gaps, and others go on. With room for a distribution of
  // every document there is, what fills the gaps always finds some; with less, the run could stand still.
  if (nats.maxDistributions < nats.maxDocuments) {
    throw new FuseMeshError(
      'invalid_argument',
      `nats.maxDistributions is ${nats.maxDistributions}, less than nats.maxDocuments ${nats.maxDocuments}: raise the one or lower the other.`,
    );
  }
  const between = trainer.checkpointEvery * trainer.batchDocuments;
  if (nats.maxDocuments < between) {
    throw new FuseMeshError(
      'invalid_argument',
      `nats.maxDocuments is ${nats.maxDocuments}, but a checkpoint, which makes room in the stream, comes only every ${between} documents (trainer.checkpointEvery × trainer.batchDocuments): raise the one or lower the others.`,
    );
  }
}
