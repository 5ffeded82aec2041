import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';

/** A run of one teacher at any free ports, with these parts of its run file instead. */
export const exampleConfig = (changes: object = {}): RunConfig =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 16,
    corpus: [{ domain: 'speeches', path: 'x.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: 'orator' }],
    target: { model: 'target' },
    trainer: { output: 'out', address: '127.0.0.1:0', metricsPort: 0 },
    ...changes,
  });
