/**
 * What a GPU computes and how fast, against the processor and PyTorch, in six minutes and without a network.
 *
 * --provider NAME    cuda, webgpu or cpu (cuda)
 * --device N         which of several GPUs (0)
 * --quick            small models only: for a device of software
 * --only PARTS       some of parity,train,teach,run
 * --json FILE        writes all figures
 * --pack DIR         instead, writes pieces of 60 MB at most with all that the proof needs, for a machine without
 *                    network: Node, the project, its packages, nats-server, ONNX Runtime's CUDA libraries
 * --with LIBRARIES   with --pack: a folder of libraries that are needed besides, such as CUDA's (repeatable)
 *
 * PyTorch is measured where python3 has torch and transformers. Exit code 1 where a comparison fails.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { writePack } from './gpu/pack/write-pack.ts';
import { prove } from './gpu/prove.ts';
import { type Part, parts } from './gpu/row.ts';
import { providers } from './gpu/settings.ts';
import { headOf, tablesOf } from './gpu/tables.ts';

const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: 'cuda' },
    device: { type: 'string', default: '0' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: parts.join() },
    json: { type: 'string' },
    pack: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
  },
});
const tell = (line: string) => console.error(line);
try {
  if (values.pack) await writePack(values.pack, values.with, tell);
  else await proveAndTell();
} catch (error) {
  if (!(error instanceof FuseMeshError)) throw error;
  tell(error.message);
  process.exitCode = 1;
}

async function proveAndTell(): Promise<void> {
  const chosen = values.only.split(',').map((part) => oneOf<Part>('--only', part, parts));
  const provider = oneOf('--provider', values.provider, providers);
  const place = { provider, device: Number(values.device) };
  const proof = await prove({ place, quick: values.quick }, chosen, tell);
  console.log(`${headOf(proof)}\n\n${tablesOf(proof.rows)}`);
  if (values.json) await writeFile(values.json, `${JSON.stringify(proof, null, 2)}\n`);
  process.exitCode = proof.rows.some(({ ok }) => ok === false) ? 1 : 0;
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === given);
  if (name !== undefined) return name;
  throw new FuseMeshError('invalid_argument', `${option} ${given}: choose of ${names.join(', ')}`);
}
