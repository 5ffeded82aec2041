import type { RunConfig } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { checkDoor } from '../../process/security/open-door.ts';
import { clientTls, serverTls, tokenOf } from '../../process/security/service-security.ts';
import { type Finding, note, ok } from './finding.ts';

/**
 * Reads the secrets and certificates of a run's services, and checks that none is open to who should not enter.
 *
 * @param hosts of this machine, at which processes of the run listen
 * @throws FuseMeshError as a process that starts
 */
export async function checkSecurity(
  security: RunConfig['security'],
  hosts: readonly string[],
): Promise<readonly Finding[]> {
  if (hosts.length > 0) serverTls(security);
  else clientTls(security);
  const token = tokenOf(security);
  const warnings: string[] = [];
  const log = createLog('doctor', { level: 'silent' });
  log.warn = (...parameters: unknown[]) => void warnings.push(String(parameters[1]));
  for (const host of new Set(hosts)) await checkDoor({ what: 'gRPC', host }, security, log);
  const parts = [
    security.tls ? 'certificates are read' : 'plain text',
    token ? 'the token of the run is read' : 'no token',
  ];
  return [ok('security', parts.join(', ')), ...warnings.map((warning) => note('security', warning))];
}
