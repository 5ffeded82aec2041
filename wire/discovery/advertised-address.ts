import type { NatsConnection } from '../nats/connection.ts';

/**
 * The address at which others reach this process. If it listens on every interface, that is the address from which it
 * reaches NATS, so that replicas with one run file are told apart.
 *
 * @param bound HOST:PORT that it listens on
 * @param advertise of the run file: HOST:PORT, where port 0 stands for the one that it listens on
 */
export function advertisedAddress(
  bound: string,
  { ownHost }: Pick<NatsConnection, 'ownHost'>,
  advertise?: string,
): string {
  const port = portOf(bound);
  if (advertise !== undefined) return portOf(advertise) === 0 ? withPort(advertise, port) : advertise;
  return /^(0\.0\.0\.0|\[::\]):\d+$/.test(bound) ? `${bracketed(ownHost)}:${port}` : bound;
}

/** The same host with another port. */
export const withPort = (address: string, port: number): string =>
  `${address.slice(0, address.lastIndexOf(':'))}:${port}`;

/** The port of HOST:PORT. */
export const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
