// A process of its own begins here: it says why a model cannot be opened by WebGPU, or nothing.
import { register } from 'tsx/esm/api';

register();
const { refusalOf } = await import('./providers.ts');
process.send({ refusal: await refusalOf('webgpu') });
process.disconnect();
