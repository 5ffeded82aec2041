/**
 * A target that writes what it learns from against one that learns from texts alone, at equal tokens: how far each is from
 * its teacher on its own text, and its held-out loss. Real runs of the whole mesh; one that is done is not run again.
 *
 * --seeds N        so many seeds (3)
 * --only PATTERN   arms whose names fit a regular expression
 * --fresh          forget the results so far
 * --write          write docs/results/own-text.md
 */
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runResultSchema } from '../cli/stored/run-result.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { runCommand } from '../test/end-to-end/command.ts';
import { repository } from './fusion/directories.ts';
import { writePage } from './fusion/report/write-page.ts';
import { targetOfSeed } from './fusion/targets.ts';
import { type Arm, arms } from './on-policy/arms.ts';
import { divergenceOnOwnText } from './on-policy/own-text.ts';
import { type ArmResult, onPolicyPage, onPolicyTable } from './on-policy/report.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    fresh: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const kept = join(repository, '.fusemesh', 'prove', 'on-policy');
const resultsPath = join(kept, 'results.jsonl');
const zoo = join(repository, 'examples', 'zoo');
const teacher = join(zoo, 'orator');
const domains = ['speeches', 'fiction', 'manuals'];
/** Of the speeches' paragraphs, the beginning that the target goes on with. */
const promptCharacters = 110;
const firstStage = { steps: 74, learningRate: 3e-3 };
const secondStage = { learningRate: 1e-3 };
const ownTexts = 1_200;

if (values.fresh) await rm(kept, { recursive: true, force: true });
await mkdir(kept, { recursive: true });
const chosen = arms.filter(({ name }) => new RegExp(values.only).test(name));
const known = await readResults();
for (let seed = 0; seed < Number(values.seeds); seed++) {
  for (const arm of chosen) {
    if (known.some((result) => result.arm === arm.name && result.seed === seed)) continue;
    const result = await measure(arm, seed);
    known.push(result);
    await appendFile(resultsPath, `${JSON.stringify(result)}\n`);
    console.log(`seed ${seed}, ${arm.name}: ${JSON.stringify(result)}`);
  }
}
console.log(onPolicyTable(known));
if (values.write) {
  await writePage(new Map([['results/own-text.md', onPolicyPage(known)]]));
}

async function readResults(): Promise<ArmResult[]> {
  const text = await readFile(resultsPath, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ArmResult);
}

/** The target of a seed, taught from the speeches first: what all arms begin with. */
async function taught(seed: number): Promise<string> {
  const target = await targetOfSeed(seed);
  const { model } = await run(`taught-${seed}`, seed, {
    target: { model: target },
    trainer: { ...firstStage },
  });
  return model;
}

async function measure(arm: Arm, seed: number): Promise<ArmResult> {
  const model = await taught(seed);
  const prompts = join(kept, 'prompts.jsonl');
  await writePrompts('corpus', prompts);
  const name = `${arm.name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}-${seed}`;
  const changes = {
    // Another order than in the first stage.
    target: { model, ...(arm.onPolicy && { service: { address: '127.0.0.1:0' } }) },
    trainer: { ...secondStage, steps: arm.steps },
    ...(arm.onPolicy && { onPolicy: { prompts: [{ domain: 'own', path: prompts }], maxNewTokens: 128 } }),
  };
  const result = await run(name, 1000 + seed, changes, arm.settings);
  const held = (await paragraphs('held-out')).map((text) => text.slice(0, promptCharacters));
  const { divergence, tokens } = await divergenceOnOwnText(result.model, teacher, {
    prompts: Array.from({ length: ownTexts }, (_, i) => held[i % held.length]),
    maxTokens: 64,
    seed: 77,
  });
  return {
    arm: arm.name,
    seed,
    steps: arm.steps,
    tokens: result.tokens,
    seconds: result.seconds,
    divergence,
    ownTokens: tokens,
    bitsPerByte: Object.fromEntries(
      result.domains.map((domain) => [domain.name, domain.after ?? Number.NaN]),
    ),
  };
}

/** Runs the whole mesh once; a run that is finished gives its result again. */
async function run(
  name: string,
  seed: number,
  { target, trainer, ...rest }: { target: object; trainer: object },
  settings: readonly string[] = [],
) {
  const path = join(kept, `${name}.yaml`);
  const text = (folder: string) => (domain: string) => ({ domain, path: join(zoo, folder, `${domain}.txt`) });
  const file = {
    run: name,
    seed,
    contextLength: 256,
    corpus: [text('corpus')('speeches')],
    heldOut: domains.map(text('held-out')),
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: teacher }],
    target,
    trainer: {
      address: '127.0.0.1:0',
      metricsPort: 0,
      output: join(kept, 'runs', name),
      batchDocuments: 4,
      warmupRatio: 0.05,
      threads: 1,
      lambda: 0.3,
      ...trainer,
    },
    ...rest,
  };
  // JSON is YAML.
  await writeFile(path, JSON.stringify(file, undefined, 2));
  const flags = settings.flatMap((setting) => ['--set', setting]);
  const { code, stdout, stderr } = await runCommand(['up', path, '--json', ...flags]);
  if (code !== 0) throw new FuseMeshError('failed_precondition', `${name} failed: ${stderr}`);
  return runResultSchema.parse(JSON.parse(stdout));
}

async function paragraphs(folder: string): Promise<string[]> {
  const text = await readFile(join(zoo, folder, 'speeches.txt'), 'utf8');
  return text.split(/\n\n+/).filter((paragraph) => paragraph.length > promptCharacters + 40);
}

async function writePrompts(folder: string, path: string): Promise<void> {
  const rows = (await paragraphs(folder)).map((text) =>
    JSON.stringify({ prompt: text.slice(0, promptCharacters) }),
  );
  await writeFile(path, `${rows.join('\n')}\n`);
}
