import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** A port that a process of the run listens on. */
export interface Listener {
  /** The key of the run file that says so: teachers.0.address. */
  readonly key: string;
  /** Whose it is: the name of a source, or "trainer". */
  readonly process: string;
  readonly kind: 'gRPC' | 'metrics';
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
}

/** All ports of a run, in the order of its processes; those of metrics are at the host of the gRPC service. */
export function listenersOf(config: RunConfig): Listener[] {
  const processes = [
    ...sourcesOf(config).map((source) => ({ ...source, process: source.name })),
    { ...config.trainer, key: 'trainer', process: 'trainer' },
  ];
  return processes.flatMap(({ key, process, address, listen = address, metricsPort }): Listener[] => {
    const host = hostOfAddress(listen);
    const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
    return [
      { key: `${key}.${listen === address ? 'address' : 'listen'}`, process, kind: 'gRPC', host, port },
      { key: `${key}.metricsPort`, process, kind: 'metrics', host, port: metricsPort },
    ];
  });
}

/**
 * What became of the attempt to listen there: `elsewhere` is another machine's address, `unknown` a name that nothing
 * resolves. `impossible` is all that is none of these: a port beyond 65535, or IPv6 where there is none.
 */
export type PortState = 'free' | 'taken' | 'elsewhere' | 'unknown' | 'forbidden' | 'impossible';

const stateOfCode: Readonly<Record<string, PortState>> = {
  EADDRINUSE: 'taken',
  EADDRNOTAVAIL: 'elsewhere',
  EACCES: 'forbidden',
};

/** Listens for a moment. */
export async function tryPort({ host, port }: Pick<Listener, 'host' | 'port'>): Promise<PortState> {
  const resolved = await lookup(host).catch(() => undefined);
  if (!resolved) return 'unknown';
  const server = createServer();
  try {
    // Node.js throws at once where the port is no port.
    server.listen({ host: resolved.address, port, exclusive: true });
    await once(server, 'listening');
    return 'free';
  } catch (error) {
    return stateOfCode[(error as NodeJS.ErrnoException).code ?? ''] ?? 'impossible';
  } finally {
    server.close();
  }
}

/** A listener and what was found there. */
export interface LookedAt extends Listener {
  readonly state: PortState;
  /** Whether the run's own process serves there, on this machine or another. */
  readonly isServed: boolean;
}

/** What is to be said about the ports of a run: a line for all that are as they should be, and one for every other. */
export function judgePorts(run: string, listeners: readonly LookedAt[]): Finding[] {
  const fixed = listeners.filter(({ port }) => port !== 0);
  const place = ({ host, port }: Listener) => `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const free: string[] = [];
  const served: string[] = [];
  const others: Finding[] = [];
  for (const [i, listener] of fixed.entries()) {
    const { key, state, kind, process, isServed } = listener;
    const where = place(listener);
    const before = fixed.slice(0, i).find((other) => place(other) === where);
    if (before) {
      others.push(problem(key, `${where} is that of ${before.key} too: give each a port of its own`));
    } else if (isServed) served.push(where);
    else if (state === 'free') free.push(where);
    else if (kind === 'gRPC' || (state !== 'elsewhere' && state !== 'unknown'))
      others.push(trouble[state](key, where, process, run));
  }
  const parts = [
    ...(free.length > 0 ? [`${free.join(', ')} free`] : []),
    ...(served.length > 0 ? [`${served.join(', ')} served by run ${run}`] : []),
    ...(listeners.length > fixed.length
      ? [fixed.length === 0 ? 'any free ones' : 'others are any free ones']
      : []),
  ];
  return [...(parts.length > 0 ? [ok('ports', parts.join('; '))] : []), ...others];
}

const trouble: Readonly<
  Record<Exclude<PortState, 'free'>, (key: string, where: string, process: string, run: string) => Finding>
> = {
  taken: (key, where) =>
    problem(key, `${where} is in use by another program: end that, or set ${key} to a free port or to 0`),
  forbidden: (key, where) =>
    problem(key, `${where} may not be listened on by this user: set ${key} to a port from 1024 on`),
  impossible: (key, where) =>
    problem(key, `${where} is no place to listen at on this machine: set ${key} to another one`),
  unknown: (key, where) =>
    problem(
      key,
      `no machine is known here by the name in ${where}: correct it, or make it known to this machine`,
    ),
  elsewhere: (key, where, process, run) =>
    note(
      key,
      `${where} is on another machine and nothing of run ${run} answers there yet: start \`fusemesh ${process === 'trainer' ? 'trainer RUN.yaml' : `teacher RUN.yaml ${process}`}\` there`,
    ),
};
