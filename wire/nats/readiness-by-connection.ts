import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type { ConnectionEvent } from './connection.ts';

/**
 * For a process that is of no use without NATS: it is ready while the connection stands, whether what is published is
 * answered or not.
 *
 * @param onNats hears every event first
 */
export function readinessByConnection(
  readiness: Readiness,
  onNats: (event: ConnectionEvent) => void,
): (event: ConnectionEvent) => void {
  return (event) => {
    onNats(event);
    if (event === 'unanswered') return;
    if (event === 'connected' || event === 'back') readiness.has('nats');
    else readiness.lacks('nats', 'the connection to NATS is lost');
  };
}
