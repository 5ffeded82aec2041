import { byteSize } from '../../cli/view/words.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { accelerators } from './accelerators.ts';
import type { Machines, RunSizes } from './place-on-accelerators.ts';
import { givenFor } from './placement.ts';
import type { Plan } from './plan-run.ts';
import type { SampledCorpus } from './sample-corpus.ts';

/** The mesh computes teachers in float32, a server in 16 bits. */
const bytesOfWeight = { own: 4, served: 2 };

/** What a reader of a plan should know beside its figures. */
export function notesOf(
  config: RunConfig,
  {
    sizes,
    corpus,
    machines,
  }: {
    readonly sizes: RunSizes;
    readonly corpus: SampledCorpus;
    /** Undefined where all was measured on this machine. */
    readonly machines: Machines | undefined;
  },
  { memory }: Plan,
): string[] {
  const notes: string[] = [];
  if (!corpus.isWhole) notes.push('the documents are counted by a sample of the corpus');
  const { join, execution } = config.trainer;
  if (join !== 'all')
    notes.push('trainer.join lets documents go on without a source: here they wait for all');
  if (machines === undefined) return notes;
  const { teachers, trainer, utilisation, teacherSpeed, trainerSpeed } = machines;
  if (teacherSpeed === undefined || trainerSpeed === undefined) {
    notes.push(`speeds of accelerators are ${utilisation} of the peak: an assumption, measure yours`);
  }
  for (const [s, { name, served }] of sourcesOf(config).entries()) {
    const { kind } = givenFor(teachers, name);
    const size = sizes.sources[s];
    if (kind === undefined || size === undefined) continue;
    const weights = size.parameters * (served ? bytesOfWeight.served : bytesOfWeight.own);
    const { memory: room } = accelerators[kind];
    if (weights > room)
      notes.push(`${name} does not fit an ${kind}: ${byteSize(weights)} of weights, ${byteSize(room)}`);
  }
  if (trainer.kind !== undefined) {
    const { memory: room } = accelerators[trainer.kind];
    const need = (memory.device ?? memory.host).total;
    if (execution === 'cpu')
      notes.push('trainer.execution is cpu: set cuda, and precision, for what is planned here');
    if (need > room)
      notes.push(`the training does not fit an ${trainer.kind}: ${byteSize(need)}, it has ${byteSize(room)}`);
  }
  return notes;
}
