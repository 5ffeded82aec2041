import { modelDirectory } from '../../examples/zoo/layout.ts';

/** The directory of the model that the experiments of a seed train. */
export async function targetOfSeed(_seed: number): Promise<string> {
  return modelDirectory('target');
}
