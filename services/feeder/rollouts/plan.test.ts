import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanSettings, RolloutPlan } from './plan.ts';

const settings = fc.record({
  corpus: fc.integer({ min: 1, max: 400 }),
  prompts: fc.integer({ min: 1, max: 40 }),
  share: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
  perPrompt: fc.integer({ min: 1, max: 5 }),
  staleness: fc.integer({ min: 0, max: 4 }),
  batchDocuments: fc.integer({ min: 1, max: 16 }),
  steps: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});
const alone = settings.map((all): PlanSettings => ({ ...all, corpus: 0, share: 1 }));
const any = fc.oneof(settings, alone);

describe('the plan', () => {
  it('gives every beginning of the run the share of rollouts, within one document', () => {
    fc.assert(
      fc.property(settings, (all) => {
        const plan = new RolloutPlan(all);
        for (let document = 0; document <= plan.documents; document++) {
          const rollouts = plan.rolloutsBefore(document);
          const meant = (document * plan.rollouts) / plan.documents;
          expect(Math.abs(rollouts - meant)).toBeLessThan(1);
        }
        expect(Math.abs(plan.rollouts - all.share * plan.documents)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('takes each document of the corpus and each rollout once, in order', () => {
    fc.assert(
      fc.property(any, (all) => {
        const plan = new RolloutPlan(all);
        let corpus = 0;
        let rollout = 0;
        for (let document = 0; document < plan.documents; document++) {
          const planned = plan.at(document);
          if ('corpus' in planned) expect(planned.corpus).toBe(corpus++);
          else {
            expect(planned.rollout).toBe(rollout);
            expect(plan.documentOf(rollout++)).toBe(document);
          }
        }
        expect([corpus, rollout]).toEqual([all.corpus, plan.rollouts]);
      }),
    );
  });

  it('takes each prompt perPrompt times a pass, one after another', () => {
    fc.assert(
      fc.property(alone, (all) => {
        const plan = new RolloutPlan({ ...all, steps: undefined });
        const twice = new RolloutPlan({ ...all, steps: 2 * all.prompts * all.perPrompt, batchDocuments: 1 });
        expect(plan.rollouts).toBe(all.prompts * all.perPrompt);
        for (const pass of [0, 1]) {
          const taken = Array.from({ length: plan.rollouts }, (_, i) =>
            twice.promptOf(pass * plan.rollouts + i),
          );
          for (let i = 0; i < taken.length; i++) {
            expect(taken[i]).toBe(taken[i - (i % all.perPrompt)]);
          }
          const once = taken.filter((_, i) => i % all.perPrompt === 0);
          expect(once.toSorted((a, b) => a - b)).toEqual(Array.from(once, (_, prompt) => prompt));
        }
      }),
    );
  });

  it('asks for weights that are never older than the staleness, and for none that are still to be trained', () => {
    fc.assert(
      fc.property(any, (all) => {
        const plan = new RolloutPlan(all);
        for (let rollout = 0; rollout < plan.rollouts; rollout++) {
          const trainedIn = Math.floor(plan.documentOf(rollout) / all.batchDocuments) + 1;
          const least = plan.leastStepOf(rollout);
          expect(least).toBe(Math.max(0, trainedIn - 1 - all.staleness));
          expect(least).toBeLessThan(trainedIn);
        }
      }),
    );
  });

  it('stops behind the last step', () => {
    fc.assert(
      fc.property(any, (all) => {
        const plan = new RolloutPlan(all);
        const trained = Math.min(plan.documents, (all.steps ?? Infinity) * all.batchDocuments);
        const last = plan.rolloutsTrained;
        if (last > 0) expect(plan.documentOf(last - 1)).toBeLessThan(trained);
        if (last < plan.rollouts) expect(plan.documentOf(last)).toBeGreaterThanOrEqual(trained);
      }),
    );
  });

  it('draws seeds that differ from rollout to rollout, and are the same each time', () => {
    const all = { prompts: 2000, share: 1, perPrompt: 1, staleness: 0, batchDocuments: 1 };
    const plan = () => new RolloutPlan({ ...all, corpus: 0, steps: undefined, seed: 7 });
    const seeds = Array.from({ length: 2000 }, (_, rollout) => plan().seedOf(rollout));
    expect(new Set(seeds).size).toBe(2000);
    expect(Math.min(...seeds)).toBeGreaterThanOrEqual(0);
    expect(seeds[3]).toBe(plan().seedOf(3));
  });
});
