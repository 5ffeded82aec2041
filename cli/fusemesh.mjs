#!/usr/bin/env node
// The command runs TypeScript as it is: tsx translates each file when it is imported. In an image all is translated
// beforehand (deploy/image), and this names JavaScript.
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

const program = './fusemesh.ts';

// Of packages, for who develops them: grpc-js names IP addresses in TLS, which Node.js advises against.
process.noDeprecation = true;
if (program.endsWith('.ts')) {
  try {
    accessSync(tmpdir(), constants.W_OK);
  } catch {
    // A read-only file system: tsx translates again at every start, where it would keep what it has made.
    process.env['TSX_DISABLE_CACHE'] = '1';
  }
  const { register } = await import('tsx/esm/api');
  register();
}
await import(program);
