import { readArchitecture } from '../../model/families/read-architecture.ts';
import { fileWeights, openWeights } from '../../model/families/weights.ts';
import { processMemory } from '../../model/runtime/memory.ts';
import { openSession } from '../../model/runtime/session.ts';
import { PartsOfModel } from '../../model/scoring/parts-of-model.ts';
import { scoringModels } from '../../model/scoring/scoring-graph.ts';
import { partsOf, type Setting, textsOf, threads, type Work } from './setting.ts';

const candidates = 10;

/** A teacher's scoring of a batch. */
export async function measureScoring(setting: Setting): Promise<Work> {
  const architecture = await readArchitecture(setting.directory);
  const source = await openWeights(setting.directory, architecture);
  const weights = fileWeights(architecture, source);
  const models = scoringModels(architecture, weights, { parts: partsOf(setting) });
  await source.close();
  const open = (model: Uint8Array) => openSession(model, { threads, weightsDirectory: weights.directory });
  const sessions = { body: await open(models.body), head: await open(models.head) };
  const model = new PartsOfModel(sessions, processMemory, models);
  const texts = textsOf(setting);
  return { run: () => model.score(texts, candidates), close: () => model.close() };
}
