import { describe, expect, it } from 'vitest';
import {
  deadLettersSubject,
  distributionsSubject,
  runNames,
  runOfDocumentsStream,
  teacherConsumer,
} from './names.ts';

describe('names of a run', () => {
  it.each(['a_documents', 'a.distributions', 'a b', '*', '>', '', 'A', '-a', 'a'.repeat(64)])(
    'refuses "%s", which could reach into another run',
    (name) => {
      const refused = { code: 'invalid_argument', message: expect.stringContaining(`"${name}"`) };
      expect(() => runNames(name)).toThrow(expect.objectContaining(refused));
      const names = runNames('demo');
      expect(() => teacherConsumer(name)).toThrow(expect.objectContaining(refused));
      expect(() => distributionsSubject(names, name)).toThrow(expect.objectContaining(refused));
      expect(() => deadLettersSubject(names, name)).toThrow(expect.objectContaining(refused));
    },
  );

  it('share no stream and no subject, however alike they are', () => {
    const runs = ['a', 'a-documents', 'a-distributions', 'a-dead-letters', 'documents', 'a-a'];
    const teachers = ['corpus', 'documents', 'a'];
    const all = runs.flatMap((run) => {
      const names = runNames(run);
      return [
        names.documentsStream,
        names.distributionsStream,
        names.deadLettersStream,
        names.corpusSubject,
        names.documentsSubject,
        ...teachers.flatMap((teacher) => [
          distributionsSubject(names, teacher),
          deadLettersSubject(names, teacher),
        ]),
      ];
    });
    expect(new Set(all).size).toBe(all.length);
    for (const run of runs) expect(runOfDocumentsStream(runNames(run).documentsStream)).toBe(run);
  });

  it('are found again in the names of documents streams alone', () => {
    const { distributionsStream, deadLettersStream } = runNames('demo');
    for (const stream of [distributionsStream, deadLettersStream, 'fusemesh_a_b_documents', 'ORDERS']) {
      expect(runOfDocumentsStream(stream)).toBeUndefined();
    }
  });
});
