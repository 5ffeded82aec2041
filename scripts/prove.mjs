import { runProgramOf } from './program-folder.mjs';

await runProgramOf({ command: 'prove', folder: 'prove', what: 'proof', usage: 'NAME' });
