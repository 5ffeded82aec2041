import { expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { deviceFailure } from './device-failure.ts';

const internal = (message: string) => new FuseMeshError('internal', message);

it.each([
  [
    'cuda',
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; file=cuda_allocator.cc',
    'resource_exhausted',
    /^The GPU has too little memory \(CUDA failure 2: out of memory .*\): lower trainer\.tokensAtOnce .* same command again/,
  ],
  [
    'cuda',
    'BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 4294967296',
    'resource_exhausted',
    /too little memory/,
  ],
  ['cuda', 'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED', 'resource_exhausted', /too little memory/],
  ['webgpu', 'VK_ERROR_OUT_OF_DEVICE_MEMORY', 'resource_exhausted', /too little memory/],
  [
    'cuda',
    'CUDA failure 700: an illegal memory access was encountered',
    'unavailable',
    /^The GPU has failed \(.*\): run the same command again, and a run goes on from its checkpoint, on it or with execution: cpu/,
  ],
  ['webgpu', '[Device "a"] is lost.', 'unavailable', /has failed/],
  [
    'webgpu',
    'Program Gather requires f16 but the device does not support it.',
    'failed_precondition',
    /execution: cpu/,
  ],
] as const)('of %s: %s', (provider, message, code, text) => {
  const failure = deviceFailure(internal(message), provider) as FuseMeshError;
  expect(failure.code).toBe(code);
  expect(failure.message).toMatch(text);
});

it('is no matter of the processor, nor of other errors', () => {
  const outOfMemory = internal('out of memory');
  expect(deviceFailure(outOfMemory, 'cpu')).toBe(outOfMemory);
  const other = internal('Got invalid dimensions for input: x');
  expect(deviceFailure(other, 'cuda')).toBe(other);
  const named = new FuseMeshError('failed_precondition', 'out of memory');
  expect(deviceFailure(named, 'cuda')).toBe(named);
});

it('is told shortly, however long ONNX Runtime is', () => {
  const long = internal(`CUDA failure 2: out of memory ${'at some function\n'.repeat(200)}`);
  expect((deviceFailure(long, 'cuda') as FuseMeshError).message.length).toBeLessThan(700);
});
