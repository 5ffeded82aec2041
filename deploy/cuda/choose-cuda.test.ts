import { expect, it } from 'vitest';
import { chooseCuda } from './choose-cuda.ts';

const libraries = (...names: readonly string[]) =>
  new Map(names.map((name) => [name, { path: `/lib/${name}`, isLinked: true }]));
const shared = ['libcurand.so.10', 'libcudnn.so.9'];
const complete = ['cudart', 'nvrtc', 'cublasLt', 'cublas'].map((name) => `lib${name}.so.12`);

it('takes the CUDA that is there, and says what is missing where none is', () => {
  expect(chooseCuda({ driver: '12.4', libraries: libraries(...shared, ...complete) })).toBe(12);
  expect(() => chooseCuda({ driver: undefined, libraries: libraries() })).toThrow(
    /no NVIDIA driver here .*`npm run cuda -- --cuda 13`/,
  );
  expect(() => chooseCuda({ driver: '11.8', libraries: libraries() })).toThrow(
    /driver supports CUDA 11\.8 at most; .* update the driver/,
  );
  expect(() => chooseCuda({ driver: '13.0', libraries: libraries(...shared, 'libcudart.so.13') })).toThrow(
    /^Of CUDA 13 \(the driver supports 13\.0\) these libraries are missing: libnvrtc\.so\.13, libcublasLt\.so\.13, libcublas\.so\.13\. Install them with `pip install .*, then run `npm run cuda` again\.$/,
  );
});
