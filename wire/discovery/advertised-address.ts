import type { NatsConnection } from '../nats/connection.ts';

/**
 * The address at which others reach this process. If it listens on every interface, that is the address from which it
 * reaches NATS.
 *
 * @param address HOST:PORT that it listens on
 */
export function advertisedAddress(address: string, { ownHost }: Pick<NatsConnection, 'ownHost'>): string {
  const port = address.slice(address.lastIndexOf(':') + 1);
  return /^(0\.0\.0\.0|\[::\]):\d+$/.test(address) ? `${bracketed(ownHost)}:${port}` : address;
}

/** The same host with another port. */
export const withPort = (address: string, port: number): string =>
  `${address.slice(0, address.lastIndexOf(':'))}:${port}`;

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
