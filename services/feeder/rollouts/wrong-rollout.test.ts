import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Document,
  DocumentSchema,
  type RolloutTask,
  RolloutTaskSchema,
} from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { wrongRollout } from './wrong-rollout.ts';

const tasks = fc
  .record({
    isChat: fc.boolean(),
    prompt: fc.bigInt({ min: 0n, max: 9n }),
    seed: fc.nat(9),
    minStep: fc.bigInt({ min: 0n, max: 9n }),
    teacher: fc.constantFrom('', 'orator'),
    said: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  })
  .map(({ isChat, said, ...rest }) =>
    create(RolloutTaskSchema, {
      ...rest,
      domain: 'asked',
      maxTokens: 8,
      turns: said.map((content) => ({ role: isChat ? 'user' : '', content })),
    }),
  );

function written({ document, domain, turns, prompt, seed, teacher }: RolloutTask, step: bigint): Document {
  return create(DocumentSchema, {
    number: document,
    domain,
    turns: [...turns, { role: turns[0].role && 'assistant', content: 'So.', learnt: true }],
    rollout: { prompt, seed, teacher, weightsStep: step, tokens: 3 },
  });
}

it('takes what was asked for, by weights of the least step or newer', () => {
  fc.assert(
    fc.property(tasks, fc.bigInt({ min: 0n, max: 20n }), (task, step) => {
      const wrong = wrongRollout(written(task, step), task);
      expect(wrong?.kind).toBe(step < task.minStep ? 'stale' : undefined);
    }),
  );
});

it('takes nothing else', () => {
  const changes: ((document: Document) => void)[] = [
    (document) => (document.rollout = undefined),
    (document) => document.rollout!.prompt++,
    (document) => document.rollout!.seed++,
    (document) => (document.rollout!.teacher = 'sage'),
    (document) => (document.rollout!.tokens = 9),
    (document) => (document.domain = 'other'),
    (document) => (document.tools = '[]'),
    (document) => (document.turns[0].content += '.'),
    (document) => (document.turns[0].learnt = true),
    (document) => document.turns.pop(),
    (document) => document.turns.unshift(document.turns[0]),
    (document) => (document.turns.at(-1)!.learnt = false),
    (document) => (document.turns.at(-1)!.role = 'tool'),
    (document) => (document.turns.at(-1)!.extras = '{}'),
  ];
  fc.assert(
    fc.property(tasks, fc.constantFrom(...changes), (task, change) => {
      const document = structuredClone(written(task, task.minStep));
      change(document);
      expect(wrongRollout(document, structuredClone(task))?.kind).toBe('unusable');
    }),
  );
});
