import { expect, it } from 'vitest';
import { withoutPlace } from './c-api.ts';

it.each([
  [
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library a.so with error: a.so: cannot open shared object file\n',
    'Failed to load library a.so with error: a.so: cannot open shared object file',
  ],
  [
    'CUDA failure 2: out of memory ; hostname=a\n ; file=b.cc',
    'CUDA failure 2: out of memory ; hostname=a ; file=b.cc',
  ],
  [
    "Non-zero status code returned while running Gather node. Name:'g'",
    "Non-zero status code returned while running Gather node. Name:'g'",
  ],
])('says in one line what ONNX Runtime says', (message, line) => {
  expect(withoutPlace(message)).toBe(line);
});
