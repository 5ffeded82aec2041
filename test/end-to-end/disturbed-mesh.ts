import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { runNames } from '../../wire/nats/names.ts';
import { freePort } from '../support/free-port.ts';
import { entry } from '../translated/entry.ts';
import { KeptProcess } from './kept-process.ts';
import { SeparateNetworks } from './separate-networks.ts';

const teachers = ['orator', 'novelist', 'engineer'];
const source = 'target';
/** Rollout workers of a run in which the target writes. */
const workers = 2;
const lookEvery = 100;

/** How a run is started. */
export interface MeshOptions {
  /** KEY=VALUE, as after --set. */
  readonly settings?: readonly string[];
  /** How many servers NATS has: 3 are a cluster, which holds each stream in all of them. */
  readonly servers?: 1 | 3;
  /** Each server is on a machine of its own, as far as the network goes. */
  readonly apart?: boolean;
  /** Largest message that NATS takes, as its configuration has it. */
  readonly maxPayload?: string;
  /** The target writes: it is served, and has workers. */
  readonly onPolicy?: boolean;
}

/** A run as on several machines: NATS and every process by itself, each started again whenever it ends. */
export class DisturbedMesh {
  /** The servers of NATS: one, or those of a cluster. */
  readonly servers: readonly KeptProcess[];
  readonly teachers: readonly KeptProcess[];
  readonly feeder: KeptProcess;
  readonly trainer: KeptProcess;
  /** The target's service and the rollout workers; none where the target does not write. */
  readonly writers: readonly KeptProcess[];
  /** Of the servers, where they are apart. */
  readonly networks: SeparateNetworks | undefined;
  readonly #run: string;
  readonly #url: string;
  readonly #stores: readonly string[];

  private constructor(
    run: string,
    {
      url,
      servers,
      networks,
      command,
      onPolicy,
    }: {
      url: string;
      servers: readonly PlannedServer[];
      networks: SeparateNetworks | undefined;
      command: Command;
      onPolicy: boolean;
    },
  ) {
    this.#run = run;
    this.networks = networks;
    this.#url = url;
    this.#stores = servers.map(({ store }) => store);
    this.servers = servers.map((server) => new KeptProcess(server.name, server.command, { mayEnd: false }));
    this.teachers = [...teachers, source].map(
      (name) => new KeptProcess(`teacher ${name}`, command('teacher', name), { mayEnd: false }),
    );
    this.feeder = new KeptProcess('feeder', command('feed'), { mayEnd: true });
    this.trainer = new KeptProcess('trainer', command('trainer'), { mayEnd: true });
    const named: [string, string[]][] = [
      ['target service', command('target')],
      ...Array.from({ length: workers }, (_, i): [string, string[]] => [
        `worker ${i + 1}`,
        command('rollout'),
      ]),
    ];
    this.writers = onPolicy
      ? named.map(([name, parameters]) => new KeptProcess(name, parameters, { mayEnd: true }))
      : [];
  }

  /** Starts the run of a file that {@link writeRunFile} wrote. Its NATS server keeps its store in `directory`. */
  static async start(
    { path, run, directory }: { path: string; run: string; directory: string },
    {
      settings = [],
      servers: count = 1,
      apart = false,
      maxPayload = '32MB',
      onPolicy = false,
    }: MeshOptions = {},
  ): Promise<DisturbedMesh> {
    await mkdir(directory, { recursive: true });
    const networks = apart ? await SeparateNetworks.open(count) : undefined;
    const { url, servers } = await planServers(directory, count, { maxPayload, networks });
    const addresses: string[] = [`nats.url=${url}`, `nats.replicas=${count}`];
    for (const i of teachers.keys()) addresses.push(`teachers.${i}.address=127.0.0.1:${await freePort()}`);
    addresses.push(`target.source.address=127.0.0.1:${await freePort()}`);
    if (onPolicy) addresses.push(`target.service.address=127.0.0.1:${await freePort()}`);
    const flags = [...addresses, ...settings].flatMap((setting) => ['--set', setting]);
    const command: Command = (verb, ...parameters) => [
      process.execPath,
      entry,
      verb,
      path,
      ...parameters,
      ...flags,
    ];
    const mesh = new DisturbedMesh(run, { url, servers, networks, command, onPolicy });
    for (const server of mesh.servers) server.start();
    await mesh.#connect().then((connection) => connection.close());
    for (const part of [...mesh.teachers, mesh.feeder, mesh.trainer, ...mesh.writers]) part.start();
    return mesh;
  }

  get parts(): readonly KeptProcess[] {
    return [this.trainer, ...this.teachers, this.feeder, ...this.writers, ...this.servers];
  }

  /** The first server of NATS. */
  get nats(): KeptProcess {
    return this.servers[0];
  }

  /** The server of a cluster that leads the stream of distributions; undefined while none is elected. */
  async leader(): Promise<KeptProcess | undefined> {
    const connection = await this.#connect();
    try {
      const info = await connection.manager.streams.info(runNames(this.#run).distributionsStream);
      return this.servers.find(({ name }) => name === info.cluster?.leader);
    } finally {
      await connection.close();
    }
  }

  /** Waits until every server has all that the streams of the run hold. */
  async inSync(): Promise<void> {
    const { documentsStream, distributionsStream, partsStream } = runNames(this.#run);
    const connection = await this.#connect();
    const isCurrent = async (stream: string) => {
      const { cluster } = await connection.manager.streams.info(stream);
      const others = cluster?.replicas ?? [];
      return (
        others.length === this.servers.length - 1 &&
        others.every(({ current, offline }) => current && !offline)
      );
    };
    try {
      for (const stream of [documentsStream, distributionsStream, partsStream]) {
        while (!(await isCurrent(stream).catch(() => false))) await sleep(lookEvery);
      }
    } finally {
      await connection.close();
    }
  }

  /** Deletes the last messages of the run's streams, which nobody is told. */
  async deleteLast(count: number): Promise<void> {
    const connection = await this.#connect();
    const { streams } = connection.manager;
    const { documentsStream, distributionsStream } = runNames(this.#run);
    try {
      for (const stream of [documentsStream, distributionsStream]) {
        const { state } = await streams.info(stream);
        let left = count;
        for (let seq = state.last_seq; seq >= state.first_seq && left > 0; seq--) {
          if (await streams.deleteMessage(stream, seq).catch(() => false)) left--;
        }
      }
    } finally {
      await connection.close();
    }
  }

  /** How many messages the run's streams hold. */
  async held(): Promise<{ documents: number; distributions: number; parts: number }> {
    const connection = await this.#connect();
    const { streams } = connection.manager;
    const { documentsStream, distributionsStream, partsStream } = runNames(this.#run);
    const [documents, distributions, parts] = await Promise.all(
      [documentsStream, distributionsStream, partsStream].map((stream) => streams.info(stream)),
    );
    await connection.close();
    return {
      documents: documents.state.messages,
      distributions: distributions.state.messages,
      parts: parts.state.messages,
    };
  }

  /** Kills NATS and lets it come back with an empty store. */
  wipeStore(): Promise<void> {
    return this.nats.kill(() => rm(this.#stores[0], { recursive: true, force: true }));
  }

  async stop(): Promise<void> {
    const clients = this.parts.filter((part) => !this.servers.includes(part));
    await Promise.all(clients.map((part) => part.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.networks?.close();
  }

  async #connect(): Promise<NatsConnection> {
    for (let tries = 0; ; tries++) {
      try {
        return await connectNats(this.#url, 'chaos');
      } catch (error) {
        // A cluster elects a leader first.
        if (tries === 200) throw error;
        await sleep(lookEvery);
      }
    }
  }
}

type Command = (verb: string, ...parameters: string[]) => string[];

interface PlannedServer {
  readonly name: string;
  readonly store: string;
  readonly command: readonly string[];
}

/** Writes the configuration of each server, and says where they will listen. */
async function planServers(
  directory: string,
  count: number,
  { maxPayload, networks }: { readonly maxPayload: string; readonly networks: SeparateNetworks | undefined },
): Promise<{ url: string; servers: readonly PlannedServer[] }> {
  const program = await findNatsServer();
  const ports: number[] = [];
  while (ports.length < 2 * count) ports.push(await freePort());
  const hosts = networks?.hosts ?? Array.from({ length: count }, () => '127.0.0.1');
  const routes = hosts.map((host, i) => `nats://${host}:${ports[count + i]}`);
  const servers = await Promise.all(
    Array.from({ length: count }, async (_, i): Promise<PlannedServer> => {
      const name = count === 1 ? 'nats-server' : `nats-server-${i + 1}`;
      const store = join(directory, `store-${i + 1}`);
      const file = join(directory, `${name}.conf`);
      const cluster = `cluster { name: mesh, listen: "${hosts[i]}:${ports[count + i]}", routes: [${routes}] }`;
      const lines = [
        `server_name: ${name}`,
        `host: "${hosts[i]}"`,
        `port: ${ports[i]}`,
        `max_payload: ${maxPayload}`,
        `jetstream { store_dir: ${JSON.stringify(store)} }`,
        ...(count === 1 ? [] : [cluster]),
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      const command = [program, '-c', file];
      return { name, store, command: networks?.on(i, command) ?? command };
    }),
  );
  const url = hosts.map((host, i) => `nats://${host}:${ports[i]}`).join(',');
  return { url, servers };
}
