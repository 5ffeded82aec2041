#!/usr/bin/env node
// The command runs TypeScript as it is: tsx translates each file when it is imported.
import { register } from 'tsx/esm/api';

// Of packages, for who develops them: grpc-js names IP addresses in TLS, which Node.js advises against.
process.noDeprecation = true;
register();
await import('./fusemesh.ts');
