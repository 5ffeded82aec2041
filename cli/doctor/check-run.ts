import { recordingOf, textsOf } from '../../process/config/corpus-of-run.ts';
import { type RunSource, sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { checkDoor } from '../../process/security/open-door.ts';
import { clientTls, serverTls, tokenOf } from '../../process/security/service-security.ts';
import { teacherSettings } from '../../services/teacher/teacher-settings.ts';
import { freeMemoryFor, memoryLine, planMemory } from '../../trainer/engine-of-run.ts';
import { Recording } from '../../trainer/recording/recording.ts';
import { natsOfRun, needsOwnNats } from '../nats/nats-of-command.ts';
import { readProcesses } from '../reach/processes-file.ts';
import { type RunFileOptions, readRunFile } from '../run-file.ts';
import { readStoredResult } from '../stored/run-result.ts';
import { byteSize } from '../view/words.ts';
import { type Machine, refusalOf } from './check-machine.ts';
import { checked, type Finding, hasProblem, lineOf, note, ok, problem } from './finding.ts';
import { judgePorts, type LookedAt, listenersOf } from './run-listeners.ts';
import { checkServedTeacher, checkTarget, checkTeacherModel } from './run-models.ts';
import { checkNatsAt, checkOwnNats } from './run-nats.ts';
import { lookAtListeners } from './run-services.ts';
import { checkStorage } from './run-storage.ts';
import { checkTexts } from './run-texts.ts';

/**
 * What of a run could not run on this machine. A process whose address is another machine's is not looked into; the
 * feeder, which has no address, is taken to run beside the trainer.
 *
 * @param path of the run file
 */
export async function checkRun(
  path: string,
  options: RunFileOptions,
  machine: Machine,
): Promise<readonly Finding[]> {
  let config: RunConfig;
  try {
    config = await readRunFile(path, options);
  } catch (error) {
    return [problem('run file', lineOf(error))];
  }
  const running = await readProcesses(config.trainer.output);
  const listeners = await lookAtListeners(config, running, listenersOf(config));
  const grpc = listeners.filter(({ kind }) => kind === 'gRPC');
  const here = grpc.filter(({ state }) => state !== 'elsewhere' && state !== 'unknown');
  const ownNats = running.state !== 'running' && (await needsOwnNats(path, options.set ?? [], process.env));
  const checks = [
    ok('run file', `run ${config.run} in ${path}: ${sourcesOf(config).length} sources`),
    ...judgePorts(config.run, listeners),
    ...(await checked('security', () =>
      checkSecurity(
        config.security,
        here.map(({ host }) => host),
      ),
    )),
    ...(await checked('nats', async () =>
      ownNats ? checkOwnNats(config) : checkNatsAt(await natsOfRun(path, config, options), config),
    )),
  ];
  const trainer = here.find(({ process }) => process === 'trainer');
  for (const source of sourcesOf(config)) {
    const listener = here.find(({ process }) => process === source.name);
    // The target is read for the trainer, where that is here too.
    if (listener && !(trainer && source.key === 'target.source')) {
      checks.push(...(await checkSource(source, config, listener)));
    }
    // On the processor every model computes; that needs no line.
    if (listener && !listener.isServed && source.execution !== 'cpu') {
      checks.push(judgeExecution(source.key, source, machine));
    }
  }
  return trainer ? [...checks, ...(await checkTraining(config, machine, trainer))] : checks;
}

/** The model of a teacher, or of the target's frozen copy, on this machine. */
async function checkSource(
  { name, key, model, served }: RunSource,
  config: RunConfig,
  { isServed }: LookedAt,
): Promise<readonly Finding[]> {
  const at = key === 'target.source' ? 'target.model' : `${key}.model`;
  if (model === undefined && served === undefined && isServed)
    return [ok(at, `${name} is served by its own process`)];
  return checked(at, async () => {
    const settings = teacherSettings(config, name);
    return settings.served
      ? checkServedTeacher(`${key}.tokenizer`, settings.tokenizer, config)
      : checkTeacherModel(at, settings.model, config);
  });
}

/** What the trainer needs on this machine, and the feeder with it. */
async function checkTraining(
  config: RunConfig,
  machine: Machine,
  { isServed }: LookedAt,
): Promise<readonly Finding[]> {
  const { heldOut } = config;
  const target = await checked('target.model', () => checkTarget(config));
  return [
    ...target,
    ...(await checked('corpus', () => checkCorpus(config))),
    ...(heldOut.length > 0 ? await checked('heldOut', () => checkTexts('heldOut', heldOut)) : []),
    ...(await checked('trainer.execution', async () => [judgeExecution('trainer', config.trainer, machine)])),
    // What follows is reckoned from the target. A training that runs has taken its memory already.
    ...(hasProblem(target) || isServed ? [] : await checked('memory', () => checkMemory(config))),
    ...(hasProblem(target) ? [] : await checked('disk', () => checkStorage(config))),
    ...(await checked('trainer.output', () => checkOutput(config))),
  ];
}

/** Texts, or what was recorded of some. */
async function checkCorpus(config: RunConfig): Promise<readonly Finding[]> {
  const directory = recordingOf(config);
  if (directory === undefined) return checkTexts('corpus', textsOf(config));
  const recording = await Recording.open(directory);
  await recording.close();
  const { facts, sources } = recording;
  const names = sources.map(({ name }) => name).join(', ');
  return [ok('corpus.recording', `${facts.documents} documents, top ${facts.topK} of ${names}`)];
}

async function checkMemory(config: RunConfig): Promise<readonly Finding[]> {
  const free = await freeMemoryFor(config);
  const estimate = await planMemory(config, free);
  const onDevice = free.device === undefined ? '' : ` and ${byteSize(free.device)} on the GPU`;
  return [ok('memory', `${memoryLine(estimate)}; ${byteSize(free.host)} are free${onDevice}`)];
}

/**
 * Whether the provider and the GPU that a process of the run asks for are there.
 *
 * @param key of the process in the run file: teachers.0
 */
export function judgeExecution(
  key: string,
  { execution, device }: Pick<RunConfig['trainer'], 'execution' | 'device'>,
  machine: Omit<Machine, 'findings'>,
): Finding {
  const { runtime, cards } = machine;
  const name = `${key}.execution`;
  if (!runtime)
    return problem(name, `there is no ONNX Runtime to compute on ${execution}: see above what to do`);
  const refusal = refusalOf(execution, machine);
  if (refusal !== undefined) {
    const without =
      execution === 'cuda' && 'unknown' in cards ? ` No NVIDIA GPU is known here (${cards.unknown}).` : '';
    return problem(name, `${refusal}${without}`);
  }
  if (execution !== 'cuda' || 'unknown' in cards) return ok(name, execution);
  if (device >= cards.length) {
    const text = `${key}.device is ${device}, and the GPUs here are numbered to ${cards.length - 1}: lower it`;
    return problem(`${key}.device`, text);
  }
  return ok(name, `cuda (GPU ${device}: ${cards[device].name})`);
}

/** What an earlier run has left. */
async function checkOutput(config: RunConfig): Promise<readonly Finding[]> {
  const result = await readStoredResult(config);
  if (!result) return [];
  const text = `the run has finished before; \`fusemesh up\` prints its result again, --fresh begins again`;
  return [note('trainer.output', text)];
}

/**
 * Reads the secrets and certificates of a run's services, and checks that none is open to who should not enter.
 *
 * @param hosts of this machine, at which processes of the run listen
 * @throws FuseMeshError as a process that starts
 */
export async function checkSecurity(
  security: RunConfig['security'],
  hosts: readonly string[],
): Promise<readonly Finding[]> {
  if (hosts.length > 0) serverTls(security);
  else clientTls(security);
  const token = tokenOf(security);
  const warnings: string[] = [];
  const log = createLog('doctor', { level: 'silent' });
  log.warn = (...parameters: unknown[]) => void warnings.push(String(parameters[1]));
  for (const host of new Set(hosts)) await checkDoor({ what: 'gRPC', host }, security, log);
  const parts = [
    security.tls ? 'certificates are read' : 'plain text',
    token ? 'the token of the run is read' : 'no token',
  ];
  return [ok('security', parts.join(', ')), ...warnings.map((warning) => note('security', warning))];
}
