import type { ModelSize } from '../../../examples/zoo/families/size.ts';
import type { Experiment } from '../experiment.ts';
import { byDefault, continued, experiments } from '../experiments.ts';
import { loadDemo } from '../measure/settings.ts';
import type { Study } from '../study.ts';

/** Of the demo's main table, what tells whether another target learns from teachers as the demo's does. */
const fewest = ['before', continued, byDefault];
const few = [...fewest, 'orator alone', 'orator and novelist'];

/** The demo's teachers and texts with a target of another size, which is pretrained as the demo's is. */
const withTarget = async (
  name: string,
  parameters: string,
  targetSize: ModelSize,
  names: readonly string[],
): Promise<Study> => ({
  name,
  config: await loadDemo(),
  targetSize,
  experiments: chosen(names),
  page: {
    title: `A target of ${parameters} parameters`,
    about:
      `The demo's teachers, of a million parameters each, teach a target of ${parameters}: ${targetSize.layers} layers ` +
      `of ${targetSize.hiddenSize} with ${targetSize.heads} heads, with the tokenizer of the demo's target and pretrained ` +
      "as that is, on as many tokens. Texts, batches, schedule and learning rate are the demo's.",
  },
});

export const openTarget4m = (): Promise<Study> =>
  withTarget('target-4m', '4 million', { hiddenSize: 256, layers: 4, heads: 8 }, few);

export const openTarget16m = (): Promise<Study> =>
  withTarget('target-16m', '16 million', { hiddenSize: 512, layers: 5, heads: 8 }, fewest);

/** The demo with adapters of low rank in the place of the target's own weights. */
export async function openLora(): Promise<Study> {
  const demo = await loadDemo();
  const lora = { rank: 16, alpha: 32, targetModules: 'all-linear' };
  return {
    name: 'lora',
    config: { ...demo, target: { ...demo.target, lora } },
    experiments: chosen(few),
    page: {
      title: 'A target with adapters',
      about:
        `As the demo, but the target keeps its weights, and adapters of rank ${lora.rank} and alpha ${lora.alpha} at all its ` +
        'linear layers are trained (`target.lora`).',
    },
  };
}

const chosen = (names: readonly string[]): Experiment[] =>
  experiments.filter(({ name }) => names.includes(name));
