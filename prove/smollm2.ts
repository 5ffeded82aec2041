/** Every logit of SmolLM2-135M on English text against transformers. Needs Python, and npm run smollm2 before. */
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { runOracle } from './oracle.ts';
import { writeOurLogits } from './our-logits.ts';

const repository = join(import.meta.dirname, '..');
const directory = join(repository, 'models', 'smollm2-135m-instruct');
const tokens = 256;

const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
const text = await readFile(join(repository, 'examples', 'zoo', 'held-out', 'speeches.txt'), 'utf8');
const { ids } = await tokenizer.encode(text.slice(0, 10 * tokens));
const root = await mkdtemp(join(tmpdir(), 'fusemesh-prove-smollm2-'));
try {
  const model = join(root, 'smollm2', 'model');
  await mkdir(join(root, 'smollm2'));
  await symlink(directory, model);
  await writeOurLogits(model, { rows: 1, length: tokens, inputIds: ids.subarray(0, tokens) });
  await runOracle('exports.py', [root, '--limit', '2e-4']);
} finally {
  await rm(root, { recursive: true });
}
