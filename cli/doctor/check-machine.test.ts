import { expect, it } from 'vitest';
import { checkCards, checkMachine, checkNode, checkProviders, runtimeText } from './check-machine.ts';
import { checkCudaLibraries } from './cuda-state.ts';
import { hasProblem } from './finding.ts';

it.each([
  ['20.20.0', 'ok'],
  ['22.1.0', 'ok'],
  ['20.19.9', 'problem'],
  ['18.30.0', 'problem'],
])('judges Node.js %s: %s', (version, verdict) => {
  const finding = checkNode(version, '>=20.20');
  expect(finding.verdict).toBe(verdict);
  expect(finding.text.includes('install 20.20 or newer')).toBe(verdict === 'problem');
});

const noCuda = { cuda: { driver: undefined, libraries: new Map() }, cudaBuild: undefined };
const build = { version: '1.30.0', cuda: 13, preload: [] } as const;
const card = {
  name: 'A100',
  driver: '580.1',
  memory: { total: 80e9, free: 79e9 },
  computeCapability: '8.0',
};
const refusing = {
  version: '1.30.0',
  file: '/lib/libonnxruntime.so.1',
  refusals: { cpu: undefined, cuda: 'no CUDA: install it', webgpu: 'no adapter' },
};
const computing = {
  version: '1.30.0',
  file: '/lib/libonnxruntime.so.1',
  refusals: { cpu: undefined, cuda: undefined, webgpu: undefined },
};

it('tells a machine without a GPU from one whose GPU cannot be used', () => {
  const cards = { unknown: 'nvidia-smi is not installed' };
  expect(checkCards(cards)).toEqual([
    { name: 'GPU', verdict: 'note', text: expect.stringContaining('(nvidia-smi is not installed)') },
  ]);
  const webgpu = { name: 'WebGPU', verdict: 'note', text: 'no adapter' };
  expect(checkProviders({ ...noCuda, runtime: refusing, cards })).toEqual([webgpu]);
  expect(checkCards([card, { ...card, computeCapability: undefined }])).toEqual([
    {
      name: 'GPU 0',
      verdict: 'ok',
      text: 'A100, 79.0 GB free of 80.0 GB, driver 580.1, compute capability 8.0',
    },
    { name: 'GPU 1', verdict: 'ok', text: 'A100, 79.0 GB free of 80.0 GB, driver 580.1' },
  ]);
  expect(checkProviders({ ...noCuda, runtime: computing, cards: [card] })).toEqual([]);
  expect(checkProviders({ ...noCuda, runtime: refusing, cards: [card] })).toEqual([
    { name: 'CUDA', verdict: 'note', text: expect.stringContaining('no NVIDIA driver') },
    webgpu,
  ]);
});

it('says which CUDA libraries are there, and which are missing where there is a driver', () => {
  expect(checkCudaLibraries(noCuda)).toEqual([]);
  const names = ['cudart', 'nvrtc', 'cublasLt', 'cublas'].map((name) => `lib${name}.so.13`);
  const libraryAt = (name: string) => [name, { path: `/lib/${name}`, isLinked: true }] as const;
  const libraries = new Map([...names, 'libcurand.so.10'].map(libraryAt));
  expect(checkCudaLibraries({ cuda: { driver: '13.0', libraries }, cudaBuild: build })).toEqual([
    {
      name: 'CUDA libraries',
      verdict: 'note',
      text: 'of CUDA 13 libcudnn.so.9 is missing; the driver supports CUDA 13.0',
    },
  ]);
  const [cudnn, found] = libraryAt('libcudnn.so.9');
  libraries.set(cudnn, found);
  expect(checkCudaLibraries({ cuda: { driver: undefined, libraries }, cudaBuild: build })).toEqual([
    { name: 'CUDA libraries', verdict: 'ok', text: 'of CUDA 13' },
  ]);
});

it('names the file of ONNX Runtime and the providers that compute', () => {
  expect(runtimeText({ ...computing, file: '/lib/libonnxruntime.so.1' })).toBe(
    '1.30.0 at /lib/libonnxruntime.so.1, computes on cpu and cuda and webgpu',
  );
});

it('finds no problem on a machine that runs our tests', async () => {
  const { findings, runtime } = await checkMachine();
  expect(hasProblem(findings)).toBe(false);
  expect(findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Node.js', 'ONNX Runtime', 'nats-server', 'memory', 'disk']),
  );
  expect(runtime?.refusals.cpu).toBeUndefined();
});
