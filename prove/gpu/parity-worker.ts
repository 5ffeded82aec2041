/** Compares golden models and adapters on a device with the processor: one row a model. */
import { largestDifference } from '../../test/support/golden.ts';
import { type GoldenCase, goldenCases } from './golden-case.ts';
import { work } from './job-worker.ts';
import type { ParityRequest } from './requests.ts';
import { type Said, say } from './row.ts';
import { scoreCase } from './scored-case.ts';
import { executionOf, reference } from './settings.ts';
import { tolerances } from './tolerances.ts';
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
    const right = await trainCase(golden, executionOf(reference, 'float32'), steps);
    const actual = await trainCase(golden, executionOf(place, precision), steps);
    const differences: Record<string, number> = { ...trainingDifference(actual, right) };
    // Teachers score in float32, and with the weights alone.
    if (precision === 'float32' && !golden.adapter) {
      const scores = [await scoreCase(golden, place), await scoreCase(golden, reference)];
      differences['logits'] = largestDifference(scores[0], scores[1]);
    }
    const allowed = tolerances[precision];
    const ok = Object.entries(differences).every(
      ([what, difference]) => difference <= allowed[what as keyof typeof allowed],
    );
    return { figures: differences, ok, ...named(golden) };
  }

  function named({ name }: GoldenCase): Pick<Said, 'name'> {
    return { name: `${precision} ${name}` };
  }
});
