#!/usr/bin/env node
// The command runs TypeScript as it is: tsx translates each file when it is imported.
import { register } from 'tsx/esm/api';

register();
await import('./fusemesh.ts');
