import { readArchitecture } from '../model/families/read-architecture.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { targetLayers } from '../model/lora/target-layers.ts';
import type { RunConfig } from '../process/config/schema.ts';

/**
 * What the run trains beside the target's weights; undefined where it trains the weights.
 *
 * @throws FuseMeshError invalid_argument where target.lora.targetModules fits no layer
 */
export async function targetAdapter({
  model,
  lora,
}: RunConfig['target']): Promise<AdapterConfig | undefined> {
  if (lora === undefined) return undefined;
  const layers = targetLayers(await readArchitecture(model), lora.targetModules);
  const transposed = [...layers.values()].some((layer) => layer.transposed);
  return { ...lora, baseModel: model, transposed };
}
