import { type Logger, pino } from 'pino';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** The structured log of a process: JSON lines on stderr. */
export type Log = Logger;

const levels = [...Object.values(pino.levels.labels), 'silent'];

/**
 * @param name which process writes ("teacher orator")
 * @param level trace, debug, info, warn, error, fatal or silent; LOG_LEVEL unless given
 * @throws FuseMeshError invalid_argument when LOG_LEVEL is none of them
 */
export function createLog(name: string, { level }: { level?: string } = {}): Log {
  const wanted = level ?? (process.env['LOG_LEVEL'] || 'info');
  if (!levels.includes(wanted)) {
    throw new FuseMeshError(
      'invalid_argument',
      `LOG_LEVEL is "${wanted}", which is no level: use one of ${levels.join(', ')}.`,
    );
  }
  return pino({ name, level: wanted }, pino.destination({ dest: 2, sync: true }));
}
