import { parse } from 'yaml';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { runConfigSchema } from './schema.ts';

/** One value from outside of the run file: where it goes, what it is, and what to call it in a message. */
export interface Setting {
  /** Keys from the outside in; a number is an index of a list. */
  readonly keys: readonly (string | number)[];
  readonly value: unknown;
  readonly name: string;
}

/** --set trainer.learningRate=1e-4; the value is read as YAML. */
export function settingsOfFlags(flags: readonly string[]): Setting[] {
  return flags.map((flag) => {
    const at = flag.indexOf('=');
    if (at < 1) {
      throw new FuseMeshError('invalid_argument', `--set ${flag}: use KEY=VALUE, such as trainer.steps=100`);
    }
    const key = flag.slice(0, at);
    return {
      keys: key.split('.').map(indexOrName),
      value: yamlValue(flag.slice(at + 1)),
      name: `--set ${key}`,
    };
  });
}

/**
 * FUSEMESH_TRAINER__LEARNING_RATE=1e-4: two underscores go one level down. NATS_URL is nats.url. A name without
 * two underscores that is no key of the run file is somebody else's.
 */
export function settingsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): Setting[] {
  const settings: Setting[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || text === '') continue;
    if (name === 'NATS_URL') settings.push({ keys: ['nats', 'url'], value: text, name });
    else if (name.startsWith('FUSEMESH_') && name !== 'FUSEMESH_PARENT') {
      const keys = name.slice('FUSEMESH_'.length).split('__').map(camelCase).map(indexOrName);
      // Kubernetes sets FUSEMESH_TRAINER_PORT and the like for a service named fusemesh-trainer.
      if (keys.length === 1 && !(keys[0] in runConfigSchema.shape)) continue;
      settings.push({ keys, value: yamlValue(text), name });
    }
  }
  return settings;
}

const camelCase = (words: string): string =>
  words.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const indexOrName = (key: string): string | number => (/^\d+$/.test(key) ? Number(key) : key);

/** A number, true, false, a list … as YAML has it; anything that is no YAML is text. */
function yamlValue(text: string): unknown {
  try {
    return parse(text) ?? text;
  } catch {
    return text;
  }
}

/**
 * Writes settings into the run file's object.
 *
 * @throws FuseMeshError invalid_argument when a setting goes through something that is no object or list
 */
export function applySettings(source: object, settings: readonly Setting[]): void {
  for (const { keys, value, name } of settings) {
    let container = source as Record<string | number, unknown>;
    for (const [depth, key] of keys.slice(0, -1).entries()) {
      const isItem = typeof keys[depth + 1] === 'number';
      // A key of a list: what is meant has another form, as corpus.recording in place of texts.
      if (Array.isArray(container[key]) && !isItem) container[key] = {};
      container[key] ??= isItem ? [] : {};
      const next = container[key];
      if (typeof next !== 'object' || next === null) {
        const path = keys.slice(0, depth + 1).join('.');
        throw new FuseMeshError('invalid_argument', `${name}: ${path} is a value and has no keys`);
      }
      container = next as Record<string | number, unknown>;
    }
    container[keys[keys.length - 1]] = value;
  }
}
