import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { runNames } from '../../wire/nats/names.ts';
import { freePort } from '../support/free-port.ts';
import { KeptProcess } from './kept-process.ts';

const entry = fileURLToPath(new URL('../../cli/fusemesh.mjs', import.meta.url));
const teachers = ['orator', 'novelist', 'engineer'];
const source = 'target';

/** A run as on several machines: NATS and every process by itself, each started again whenever it ends. */
export class DisturbedMesh {
  readonly nats: KeptProcess;
  readonly teachers: readonly KeptProcess[];
  readonly feeder: KeptProcess;
  readonly trainer: KeptProcess;
  readonly #run: string;
  readonly #url: string;
  readonly #store: string;

  private constructor(
    run: string,
    { url, store, nats, command }: { url: string; store: string; nats: string[]; command: Command },
  ) {
    this.#run = run;
    this.#url = url;
    this.#store = store;
    this.nats = new KeptProcess('nats-server', nats, { mayEnd: false });
    this.teachers = [...teachers, source].map(
      (name) => new KeptProcess(`teacher ${name}`, command('teacher', name), { mayEnd: false }),
    );
    this.feeder = new KeptProcess('feeder', command('feed'), { mayEnd: true });
    this.trainer = new KeptProcess('trainer', command('trainer'), { mayEnd: true });
  }

  /** Starts the run of a file that {@link writeRunFile} wrote. Its NATS server keeps its store in `directory`. */
  static async start(
    { path, run, directory }: { path: string; run: string; directory: string },
    settings: readonly string[] = [],
  ): Promise<DisturbedMesh> {
    const port = await freePort();
    const url = `nats://127.0.0.1:${port}`;
    const store = join(directory, 'store');
    const configFile = join(directory, 'nats-server.conf');
    await mkdir(directory, { recursive: true });
    await writeFile(
      configFile,
      `host: "127.0.0.1"\nport: ${port}\nmax_payload: 32MB\njetstream { store_dir: ${JSON.stringify(store)} }\n`,
    );
    const addresses: string[] = [`nats.url=${url}`];
    for (const i of teachers.keys()) addresses.push(`teachers.${i}.address=127.0.0.1:${await freePort()}`);
    addresses.push(`target.source.address=127.0.0.1:${await freePort()}`);
    const flags = [...addresses, ...settings].flatMap((setting) => ['--set', setting]);
    const command: Command = (verb, ...parameters) => [
      process.execPath,
      entry,
      verb,
      path,
      ...parameters,
      ...flags,
    ];
    const nats = [await findNatsServer(), '-c', configFile];
    const mesh = new DisturbedMesh(run, { url, store, nats, command });
    mesh.nats.start();
    await mesh.#connect().then((connection) => connection.close());
    for (const part of [...mesh.teachers, mesh.feeder, mesh.trainer]) part.start();
    return mesh;
  }

  get parts(): readonly KeptProcess[] {
    return [this.trainer, ...this.teachers, this.feeder, this.nats];
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
  async held(): Promise<{ documents: number; distributions: number }> {
    const connection = await this.#connect();
    const { streams } = connection.manager;
    const { documentsStream, distributionsStream } = runNames(this.#run);
    const [documents, distributions] = await Promise.all(
      [documentsStream, distributionsStream].map((stream) => streams.info(stream)),
    );
    await connection.close();
    return { documents: documents.state.messages, distributions: distributions.state.messages };
  }

  /** Kills NATS and lets it come back with an empty store. */
  wipeStore(): Promise<void> {
    return this.nats.kill(() => rm(this.#store, { recursive: true, force: true }));
  }

  async stop(): Promise<void> {
    await Promise.all([this.trainer, this.feeder, ...this.teachers].map((part) => part.stop()));
    await this.nats.stop();
  }

  async #connect(): Promise<NatsConnection> {
    for (let tries = 0; ; tries++) {
      try {
        return await connectNats(this.#url, 'chaos');
      } catch (error) {
        if (tries === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

type Command = (verb: string, ...parameters: string[]) => string[];
