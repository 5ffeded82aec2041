import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How a model reads conversations. */
export interface ChatFormat {
  /** In Jinja, as transformers take it; '' for a base model that has none. */
  readonly template: string;
  /** What templates name special tokens by: bos_token, eos_token, … */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Of a model that has no template. */
export const baseFormat: ChatFormat = { template: '', specialTokens: {} };

/**
 * @param file a template to take instead of the directory's own
 * @throws FuseMeshError not_found, invalid_argument
 */
export async function readChatFormat(directory: string, file?: string): Promise<ChatFormat> {
  const config = await readJson(join(directory, 'tokenizer_config.json'));
  const map = await readJson(join(directory, 'special_tokens_map.json'));
  const specialTokens = { ...tokensIn(map), ...tokensIn(config) };
  if (file !== undefined) {
    const template = await readText(file);
    if (template === undefined) throw new FuseMeshError('not_found', `There is no chat template at ${file}`);
    return { template, specialTokens };
  }
  const own = await readText(join(directory, 'chat_template.jinja'));
  return { template: own ?? templateIn(config, directory), specialTokens };
}

function templateIn(
  { chat_template: template }: Readonly<Record<string, unknown>>,
  directory: string,
): string {
  if (template === undefined || template === null) return '';
  if (typeof template === 'string') return template;
  const named = Array.isArray(template) ? (template as Partial<Record<'name' | 'template', unknown>>[]) : [];
  const usual = named.find(({ name }) => name === 'default')?.template;
  if (typeof usual === 'string') return usual;
  throw new FuseMeshError(
    'invalid_argument',
    `chat_template in ${join(directory, 'tokenizer_config.json')} is neither a template nor a list with one named "default": name a template's file`,
  );
}

/** Those that are strings, or objects that hold one as content. */
function tokensIn(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!name.endsWith('_token')) continue;
    const text = typeof value === 'object' ? (value as { content?: unknown } | null)?.content : value;
    if (typeof text === 'string') tokens[name] = text;
  }
  return tokens;
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(path);
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new FuseMeshError('invalid_argument', `${path} is no JSON object`);
}

/** @returns undefined where there is no such file */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FuseMeshError('failed_precondition', `Cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
