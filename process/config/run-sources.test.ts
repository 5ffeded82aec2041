import { expect, test } from 'vitest';
import { sourcesOf } from './run-sources.ts';
import { runConfigSchema } from './schema.ts';

const run = (source?: object) =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 64,
    corpus: [{ domain: 'a', path: 'a.txt' }],
    teachers: [
      { name: 'orator', address: 'a:1', model: 'models/orator', threads: 3 },
      { name: 'novelist', address: 'b:1', execution: 'cuda', device: 2 },
    ],
    target: { model: 'models/target', source },
    trainer: { output: 'out' },
  });

test('the sources of a run are its teachers in their order, then the frozen copy of its target', () => {
  expect(sourcesOf(run({ address: 'c:1', execution: 'webgpu' }))).toMatchObject([
    {
      name: 'orator',
      address: 'a:1',
      model: 'models/orator',
      threads: 3,
      execution: 'cpu',
      key: 'teachers.0',
    },
    { name: 'novelist', address: 'b:1', execution: 'cuda', device: 2, key: 'teachers.1' },
    {
      name: 'target',
      address: 'c:1',
      model: 'models/target',
      execution: 'webgpu',
      device: 0,
      key: 'target.source',
    },
  ]);
  expect(sourcesOf(run()).map(({ name }) => name)).toEqual(['orator', 'novelist']);
});
