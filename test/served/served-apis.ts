import type { ServedApi } from './served-server.ts';

/** What both have in common fails alike: `npm test` tries the one, `npm run test:served` both. */
export const servedApis: readonly ServedApi[] =
  process.env['FUSEMESH_VLLM'] === undefined ? ['vllm'] : ['vllm', 'sglang'];
