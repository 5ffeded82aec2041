import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { recordingOf } from '../../process/config/corpus-of-run.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import { checkDoor } from '../../process/security/open-door.ts';
import { serverTls } from '../../process/security/service-security.ts';
import { teacherSettings } from '../../services/teacher/teacher-settings.ts';

/**
 * Refuses a run of which a process could not serve: `up` starts all of them on this machine, and each would say so
 * by itself, after the others have started.
 *
 * @param ownNats whether `up` starts a NATS server for the run
 * @throws FuseMeshError as the process itself does
 */
export async function refuseBeforeStart(config: RunConfig, ownNats: boolean): Promise<void> {
  const sources = recordingOf(config) === undefined ? sourcesOf(config) : [];
  for (const { name } of sources) teacherSettings(config, name);
  if (ownNats) refuseLogin(config.nats);
  serverTls(config.security);
  // What is allowed and yet open to others is for the process's own log.
  const log = createLog('up', { level: 'silent' });
  const { service } = config.target;
  for (const { address } of [...sources, config.trainer, ...(service ? [service] : [])]) {
    await checkDoor({ what: 'gRPC', host: hostOfAddress(address) }, config.security, log);
  }
}

/** @throws FuseMeshError invalid_argument where a login is named, and not the server that it is for */
export function refuseLogin({
  user,
  passwordFile,
  tokenFile,
  credentialsFile,
  tls,
}: RunConfig['nats']): void {
  const ways = Object.entries({ user, passwordFile, tokenFile, credentialsFile, tls });
  const [key] = ways.find(([, value]) => value !== undefined) ?? [];
  if (key === undefined) return;
  throw new FuseMeshError(
    'invalid_argument',
    `nats.${key} says how to enter a NATS server, but not which: set nats.url; the server that \`up\` brings needs nothing`,
  );
}
