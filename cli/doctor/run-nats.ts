import type { RunConfig } from '../../process/config/schema.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { refuseWithoutSync } from '../../wire/nats/local-server.ts';
import type { NatsSettings } from '../../wire/nats/login.ts';
import { isSince, oldestServer, versionOfProgram } from '../../wire/nats/server-version.ts';
import { overNats } from '../nats/nats-of-command.ts';
import { storeOnDisk, tooLargeFor } from '../nats/run-sizes.ts';
import { refuseLogin } from '../up/refuse-before-start.ts';
import { spaceAt } from './disk-space.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/**
 * Connects to the NATS server of a run.
 *
 * @throws FuseMeshError as every process of the run: where nothing answers, lets us in or has JetStream
 */
export async function checkNatsAt(where: NatsSettings, config: RunConfig): Promise<readonly Finding[]> {
  return overNats(where, 'doctor', async (connection) => {
    const { url, serverVersion } = connection;
    const tooLarge = await tooLargeFor(connection, config);
    return [
      judgeNats(serverVersion, `answers at ${url}, with JetStream`, 'update it'),
      ...tooLarge.map((text) => problem('nats limits', text)),
    ];
  });
}

/**
 * Looks at the program that `fusemesh up` would start for a run which names no server.
 *
 * @throws FuseMeshError not_found where there is none, invalid_argument or failed_precondition where it could not do
 *   what nats says
 */
export async function checkOwnNats(config: RunConfig): Promise<readonly Finding[]> {
  const { nats, trainer } = config;
  refuseLogin(nats);
  const program = await findNatsServer();
  if (nats.sync !== undefined) await refuseWithoutSync(program);
  const version = await versionOfProgram(program);
  const store = storeOnDisk(config, await spaceAt(trainer.output));
  return [
    judgeNats(version, `at ${program}, which \`fusemesh up\` starts`, 'set NATS_SERVER to a newer one'),
    // Few corpora have documents that are all as long as they may be.
    (store.fits ? ok : note)('nats store', store.text),
  ];
}

/** @param version of a server ("2.9.10"), or what its program says that it is */
export function judgeNats(version: string, what: string, advice: string): Finding {
  const text = `nats-server ${version.replace(/^nats-server: v/, '')} ${what}`;
  return isSince(version, oldestServer)
    ? ok('nats', text)
    : problem('nats', `${text}: it must be ${oldestServer.join('.')} or newer, ${advice}`);
}
