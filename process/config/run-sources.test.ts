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
      { name: 'novelist', address: 'b:1' },
    ],
    target: { model: 'models/target', source },
    trainer: { output: 'out' },
  });

test('the sources of a run are its teachers in their order, then the frozen copy of its target', () => {
  expect(sourcesOf(run({ address: 'c:1' }))).toMatchObject([
    { name: 'orator', address: 'a:1', model: 'models/orator', threads: 3, key: 'teachers.0' },
    { name: 'novelist', address: 'b:1', key: 'teachers.1' },
    { name: 'target', address: 'c:1', model: 'models/target', key: 'target.source' },
  ]);
  expect(sourcesOf(run()).map(({ name }) => name)).toEqual(['orator', 'novelist']);
});
