import { open, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * What is at a path where a Hugging Face directory should be, and what to do with it: two sentences, to follow what is
 * missing. Undefined for what people do not usually take for one.
 */
export async function insteadOfModel(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return hubName(path);
  if (found.isFile()) return fileOfModel(path);
  const names = new Set(await readdir(path).catch(() => []));
  if (names.has('adapter_config.json'))
    return `It is a LoRA adapter. Fold it into its model (\`fusemesh merge ${path} DIRECTORY\`), and give DIRECTORY.`;
  if (names.has('snapshots')) {
    const [snapshot] = await readdir(join(path, 'snapshots')).catch(() => []);
    if (snapshot !== undefined)
      return `It is a model's place in the hub's cache. Give the snapshot in it, ${join(path, 'snapshots', snapshot)}.`;
  }
  const gguf = [...names].find((name) => name.endsWith('.gguf'));
  if (gguf !== undefined && !names.has('config.json')) return fileOfModel(join(path, gguf));
  const pickled = [...names].find(isPickled);
  return pickled === undefined
    ? undefined
    : `Its weights are in ${pickled}, a pickle, which may run code when it is read. Write them as safetensors, with ` +
        `transformers: \`python -c "from transformers import AutoModelForCausalLM as M; M.from_pretrained('${path}').save_pretrained('${path}')"\`.`;
}

const isPickled = (name: string) => /^(pytorch_model|consolidated).*\.(bin|pth?)(\.index\.json)?$/.test(name);

/** A file in place of a directory. */
async function fileOfModel(path: string): Promise<string | undefined> {
  if (await isGguf(path))
    return `${path} is a GGUF. Make a model directory of it (\`fusemesh import ${path} DIRECTORY\`), and give DIRECTORY.`;
  const isPart = /\.(safetensors|bin|pth?|json)$/.test(path);
  return isPart ? `It is a file of a model. Give the directory in which it is, ${dirname(path)}.` : undefined;
}

/** GGUF begins with its name (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
async function isGguf(path: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(4), 0, 4, 0);
    return bytesRead === 4 && Buffer.from(buffer).toString('latin1') === 'GGUF';
  } finally {
    await handle.close();
  }
}

/** Nothing is there: the last two names may be those that a model has on the hub, as transformers takes them. */
async function hubName(path: string): Promise<string | undefined> {
  const [owner, name] = [basename(dirname(path)), basename(path)];
  if (!/^[\w.-]+$/.test(owner) || !/^[\w.-]+$/.test(name)) return undefined;
  const cached = join(hubCache(), `models--${owner}--${name}`, 'snapshots');
  const [snapshot] = await readdir(cached).catch(() => []);
  if (snapshot !== undefined)
    return `FuseMesh takes models from directories. That of ${owner}/${name} in the hub's cache is ${join(cached, snapshot)}.`;
  const isFolder = await stat(dirname(path)).then(
    (parent) => parent.isDirectory(),
    () => false,
  );
  return isFolder
    ? undefined
    : `If ${owner}/${name} is a model on the Hugging Face hub: FuseMesh takes models from directories. Download it ` +
        `(\`hf download ${owner}/${name} --local-dir DIRECTORY\`), and give DIRECTORY.`;
}

/** Where huggingface_hub keeps what it has downloaded. */
function hubCache(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  return join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'hub');
}
