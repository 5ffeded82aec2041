import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { findPrograms, isProgram } from './find-program.ts';

/** A Grafana that is installed on this machine. */
export interface Grafana {
  readonly program: string;
  /** What makes the program a server. */
  readonly verb: readonly string[];
  /** Directory with Grafana's own files, `conf/defaults.ini` among them. */
  readonly home: string;
}

/** Where the packages of Debian and Red Hat put it; what they put on PATH is a script with settings of its own. */
const packageHome = '/usr/share/grafana';

/**
 * Grafana, with the files that belong to it.
 *
 * @param programs where to look, in this order
 */
export function findGrafana(
  programs: readonly string[] = [
    ...[join(packageHome, 'bin', 'grafana'), join(packageHome, 'bin', 'grafana-server')].filter(isProgram),
    ...findPrograms(['grafana', 'grafana-server']),
  ],
): Grafana | undefined {
  for (const program of programs) {
    const home = homeOf(program);
    if (home !== undefined) return { program, verb: basename(program) === 'grafana' ? ['server'] : [], home };
  }
  return undefined;
}

/** Beside the program, as in its archives; where Homebrew has it; or where packages have it. */
function homeOf(program: string): string | undefined {
  const folder = dirname(realpathSync(program));
  return [resolve(folder, '..'), resolve(folder, '../share/grafana'), packageHome].find((home) =>
    existsSync(join(home, 'conf', 'defaults.ini')),
  );
}
