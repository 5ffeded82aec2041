/** Compares golden models and adapters on a device with the processor: one row a model. */
import type { Execution } from '../../engine/engine-options.ts';
import { largestDifference } from '../../test/support/golden.ts';
import { type GoldenCase, goldenCases } from './golden-case.ts';
import { work } from './job-worker.ts';
import type { ParityRequest } from './requests.ts';
import { type Said, say } from './row.ts';
import { scoreCase } from './scored-case.ts';
import { reference } from './settings.ts';
import { type Compared, tolerances } from './tolerances.ts';
import { trainCase, trainingDifference } from './trained-case.ts';

await work(async ({ place, precision, steps, seconds }: ParityRequest) => {
  const end = performance.now() + seconds * 1000;
  const cases = await goldenCases();
  for (const [done, golden] of cases.entries()) {
    if (performance.now() > end) {
      say({ name: precision, note: `${done} of ${cases.length} models in ${seconds} s` });
      return;
    }
    say(
      await compared(golden).catch((error: Error) => ({ ok: false, note: error.message, ...named(golden) })),
    );
  }

  async function compared(golden: GoldenCase): Promise<Said> {
    const [actual, right] = await Promise.all([
      computed(golden, { ...place, precision }),
      computed(golden, reference),
    ]);
    const differences: Partial<Record<Compared, number>> = trainingDifference(actual.trained, right.trained);
    if (actual.logits && right.logits) differences.logits = largestDifference(actual.logits, right.logits);
    const allowed = tolerances[precision];
    const ok = Object.entries(differences).every(
      ([what, difference]) => difference <= allowed[what as Compared],
    );
    return { figures: differences, ok, ...named(golden) };
  }

  async function computed(golden: GoldenCase, execution: Execution) {
    const trained = await trainCase(golden, execution, steps);
    // Teachers score in float32, and with the weights alone.
    const scores = precision === 'float32' && !golden.adapter;
    return { trained, logits: scores ? await scoreCase(golden, execution) : undefined };
  }

  function named({ name }: GoldenCase): Pick<Said, 'name'> {
    return { name: `${precision} ${name}` };
  }
});
