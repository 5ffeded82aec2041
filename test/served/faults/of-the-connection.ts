import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const pause = 20;
const filler = Buffer.alloc(1024 * 1024, ' ');

/** The answer is right and does not come as it should. */
export const faultsOfTheConnection = {
  /** A byte now and then. */
  slowLoris: {
    send: async (response, { status, body }) => {
      response.writeHead(status, { 'content-length': body.length });
      for (const byte of body) {
        if (response.destroyed) return;
        response.write(Uint8Array.of(byte));
        await sleep(pause);
      }
    },
  },
  /** The connection is open and nobody is there. */
  halfOpen: { silent: true },
  /** Headers, then nothing. */
  headersOnly: {
    send: (response, { status, body }) => {
      response.writeHead(status, { 'content-length': body.length });
      response.flushHeaders();
    },
  },
  reset: {
    send: (response) => {
      response.socket?.resetAndDestroy();
    },
  },
  /** Half of what was announced. */
  cutConnection: {
    send: (response, { status, body }) => {
      response.writeHead(status, { 'content-length': body.length });
      response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy());
    },
  },
  redirect: {
    send: (response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:9/elsewhere' }).end();
    },
  },
  /** An answer without end. */
  endless: {
    send: (response, { status }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(filler));
      };
      response.on('drain', more);
      more();
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;
