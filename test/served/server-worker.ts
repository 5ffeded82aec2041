import { parseArgs } from 'node:util';
import { type ServedApi, ServedServer } from './served-server.ts';

// A well-behaved server of the tests as a process of its own, which can be killed.
const { values } = parseArgs({
  options: { api: { type: 'string' }, directory: { type: 'string' }, port: { type: 'string' } },
});
const server = await ServedServer.start({
  api: values.api as ServedApi,
  directory: values.directory!,
  port: Number(values.port),
});
process.once('SIGTERM', () => void server.stop());
