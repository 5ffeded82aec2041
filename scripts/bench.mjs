import { runProgramOf } from './program-folder.mjs';

await runProgramOf({ command: 'bench', folder: 'bench', what: 'benchmark', usage: 'NAME [--json]' });
