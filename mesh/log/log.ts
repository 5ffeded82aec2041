import { type Logger, pino } from 'pino';

/** The structured log of a process: JSON lines on stderr. */
export type Log = Logger;

/**
 * @param name which process writes ("teacher orator")
 * @param level trace, debug, info, warn, error, fatal or silent; LOG_LEVEL unless given
 */
export const createLog = (name: string, { level }: { level?: string } = {}): Log =>
  pino(
    { name, level: level ?? process.env['LOG_LEVEL'] ?? 'info' },
    pino.destination({ dest: 2, sync: true }),
  );
