import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Component, components, type TokenizerJson, usesByteLevel } from './tokenizer-json.ts';

/** Classes of transformers 5 whose byte-level pre-tokenizer is made by add_prefix_space, not by tokenizer.json. */
const byteLevelClasses: ReadonlySet<unknown> = new Set([
  'GPT2Tokenizer',
  'GPTNeoXTokenizer',
  'Qwen2Tokenizer',
]);

/** Models that transformers 5 gives the tokenizer.json as it is, whatever class tokenizer_config.json names. */
const asItIs: ReadonlySet<unknown> = new Set(['granite', 'mistral', 'olmo2', 'phi3', 'stablelm']);

/**
 * A tokenizer.json as the add_prefix_space of the tokenizer_config.json beside it changes it, where AutoTokenizer of
 * transformers 5 heeds that: whether a space is put in front of a text that has none.
 *
 * @returns the same bytes where nothing changes
 */
export async function withPrefixSpace(
  json: Uint8Array<ArrayBuffer>,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { tokenizer_class: name, add_prefix_space: asked } = await fieldsOf(path, 'tokenizer_config.json');
  if (typeof asked !== 'boolean' || typeof name !== 'string') return json;
  const { model_type: model } = await fieldsOf(path, 'config.json');
  if (asItIs.has(model)) return json;
  const tokenizer = JSON.parse(Buffer.from(json).toString()) as TokenizerJson;
  const tokenizerClass = name.replace(/Fast$/, '');
  const changed = usesByteLevel(tokenizer)
    ? byteLevelClasses.has(tokenizerClass) && askByteLevel(tokenizer, asked)
    : tokenizerClass === 'LlamaTokenizer' && !asked && takePrefixAway(tokenizer);
  return changed ? Buffer.from(JSON.stringify(tokenizer)) : json;
}

/** The fields of a JSON file beside another; none where there is no such file. */
async function fieldsOf(path: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(join(dirname(path), name), 'utf8').catch(() => '{}');
  try {
    return Object(JSON.parse(text));
  } catch {
    // Who needs the file says that it is damaged.
    return {};
  }
}

/** @returns whether that was not so before */
function askByteLevel({ pre_tokenizer }: TokenizerJson, asked: boolean): boolean {
  let changed = false;
  for (const component of components(pre_tokenizer)) {
    if (component.type !== 'ByteLevel' || component['add_prefix_space'] === asked) continue;
    component['add_prefix_space'] = asked;
    changed = true;
  }
  return changed;
}

/** SentencePiece's mark in front of a text, and what takes it away again when tokens are decoded. */
function takePrefixAway(tokenizer: TokenizerJson): boolean {
  let changed = false;
  const isPrefix = (component: Component) =>
    component.type === 'Prepend' || (component.type === 'Strip' && component['start'] === 1);
  for (const holder of [tokenizer.normalizer, tokenizer.decoder].flatMap(components)) {
    for (const key of ['normalizers', 'decoders']) {
      const parts = holder[key] as Component[] | undefined;
      const kept = parts?.filter((part) => !isPrefix(part));
      if (parts === undefined || kept?.length === parts.length) continue;
      holder[key] = kept;
      changed = true;
    }
  }
  for (const component of [tokenizer.pre_tokenizer, tokenizer.decoder].flatMap(components)) {
    if (component.type !== 'Metaspace' || component['prepend_scheme'] === 'never') continue;
    component['prepend_scheme'] = 'never';
    changed = true;
  }
  return changed;
}
