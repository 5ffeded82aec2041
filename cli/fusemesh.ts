import { program } from './program.ts';

const command = await program(process.argv[2]);
await command.parseAsync();
