import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an IP address stays on this machine. */
export const isLoopbackAddress = (ip: string): boolean =>
  loopback.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');

/** Whether a host stays on this machine for certain; of names only localhost does. */
export const isLoopbackHost = (host: string): boolean =>
  isIP(host) === 0 ? host.toLowerCase() === 'localhost' : isLoopbackAddress(host);

/** The host of HOST:PORT, an IPv6 address without its brackets. */
export const hostOfAddress = (address: string): string =>
  address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
