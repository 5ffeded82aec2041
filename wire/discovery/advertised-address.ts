import type { NatsConnection } from '../nats/connection.ts';

/**
 * Where others reach a process that listens there. One that listens on every interface is reached at the address
 * from which it reaches NATS.
 *
 * @param address HOST:PORT as it listens
 */
export function advertisedAddress(address: string, { ownHost }: Pick<NatsConnection, 'ownHost'>): string {
  const port = address.slice(address.lastIndexOf(':') + 1);
  return /^(0\.0\.0\.0|\[::\]):\d+$/.test(address) ? `${bracketed(ownHost)}:${port}` : address;
}

/** The same host with another port. */
export const withPort = (address: string, port: number): string =>
  `${address.slice(0, address.lastIndexOf(':'))}:${port}`;

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
