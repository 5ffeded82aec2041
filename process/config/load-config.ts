import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { refuseContradictions } from './cross-key-rules.ts';
import { describeProblems } from './describe-problems.ts';
import { refuseSecretSettings, refuseSecrets } from './refuse-secrets.ts';
import { type RunConfig, runConfigSchema } from './schema.ts';
import { applySettings, settingsOfEnvironment, settingsOfFlags } from './settings.ts';

/**
 * Reads a run file. Flags win over the environment, the environment over the file; what none gives has the
 * schema's default. Paths come out absolute: those of the file are relative to it, others to the working
 * directory.
 *
 * @param overrides settings of the command line, KEY=VALUE with a dotted key: trainer.learningRate=1e-4
 * @param environment FUSEMESH_TRAINER__LEARNING_RATE=1e-4, FUSEMESH_TEACHERS__0__THREADS=2; NATS_URL
 * @throws FuseMeshError not_found when there is no such file, invalid_argument when a key or value is wrong, keys do
 *   not go together, or a secret stands in the file or on the command line
 */
export async function loadRunConfig(
  path: string,
  {
    overrides = [],
    environment = process.env,
  }: { overrides?: readonly string[]; environment?: Readonly<Record<string, string | undefined>> } = {},
): Promise<RunConfig> {
  const source = parseYaml(await read(path), path);
  refuseSecrets(source, path);
  makePathsAbsolute(source, dirname(resolve(path)));
  const flags = settingsOfFlags(overrides);
  refuseSecretSettings(flags);
  applySettings(source, [...settingsOfEnvironment(environment), ...flags]);
  makePathsAbsolute(source, process.cwd());
  const result = runConfigSchema.safeParse(source);
  if (!result.success) {
    throw new FuseMeshError('invalid_argument', `${path}: ${describeProblems(result.error)}`);
  }
  refuseContradictions(result.data, path);
  return result.data;
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? new FuseMeshError('not_found', `No run file at ${path}: give the path of a YAML file`, { cause })
      : new FuseMeshError('invalid_argument', `Cannot read the run file ${path}: ${cause.message}`, {
          cause,
        });
  });

function parseYaml(text: string, path: string): object {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    const [reason] = cause.message.split('\n');
    throw new FuseMeshError('invalid_argument', `${path} is not valid YAML: ${reason}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new FuseMeshError('invalid_argument', `${path} is not a run file: it holds no keys`);
}

/** Where a run file has paths; * stands for every item of a list. */
const pathKeys = [
  'corpus.*.path',
  'corpus.recording',
  'onPolicy.prompts.*.path',
  'heldOut.*.path',
  'teachers.*.model',
  'teachers.*.tokenizer',
  'teachers.*.chatTemplate',
  'teachers.*.served.apiKeyFile',
  'teachers.*.served.tls.ca',
  'target.model',
  'target.chatTemplate',
  'trainer.output',
  'security.tls.certificate',
  'security.tls.key',
  'security.tls.ca',
  'security.tokenFile',
  'nats.passwordFile',
  'nats.tokenFile',
  'nats.credentialsFile',
  'nats.tls.ca',
  'nats.tls.certificate',
  'nats.tls.key',
];

/** Makes the relative paths of a run file's object absolute, in place; what is not there or no text is left. */
function makePathsAbsolute(source: object, base: string): void {
  for (const key of pathKeys) visit(source, key.split('.'), base);
}

function visit(container: unknown, [key, ...rest]: readonly string[], base: string): void {
  if (typeof container !== 'object' || container === null) return;
  const values = container as Record<string, unknown>;
  for (const name of key === '*' ? Object.keys(values) : [key]) {
    const value = values[name];
    if (rest.length > 0) visit(value, rest, base);
    else if (typeof value === 'string') values[name] = resolve(base, value);
  }
}
