import { program } from './program.ts';

// Who has read enough (`fusemesh runs | head -1`) closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const command = await program(process.argv[2]);
await command.parseAsync();
