import { chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { newestCheckpointStep } from '../../test/end-to-end/small-run.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { type Contained, type Container, type Mounts, powersOf } from './container.ts';
import type { Check } from './contents.ts';

const examples = resolve(import.meta.dirname, '../../examples');
/** As compose.yaml and the manifests for Kubernetes have it. */
const graceSeconds = 60;
const answersWithin = 120_000;
const endsWithin = 600_000;
const teachers = ['orator', 'engineer'];

/** A folder that only user 1000 writes to. */
async function ownFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chown(path, 1000, 1000);
  return path;
}

/** Trains a model with every process from the image; the trainer is stopped once on the way. */
export async function runEveryProcess(container: Container, directory: string, check: Check): Promise<void> {
  const nats = await startLocalNatsServer({ storeDirectory: join(directory, 'nats') });
  const data = join(directory, 'data');
  for (const part of ['zoo', 'conversations']) {
    await cp(join(examples, part), join(data, part), { recursive: true });
  }
  const state = await ownFolder(join(directory, 'state'));
  const ports = new Map<string, number>();
  for (const name of [...teachers, 'target', 'trainer', 'rollout']) ports.set(name, await freePort());
  await writeFile(join(data, 'run.yaml'), stringify(runFile('image', nats.url, ports)));
  await writeFile(join(data, 'together.yaml'), stringify(runFile('together', nats.url)));

  const nothing: Mounts = { readable: { '/data': data } };
  const volume: Mounts = { ...nothing, writable: { '/var/lib/fusemesh': state } };
  // The target service puts weights together there before it loads them.
  const scratch: Mounts = { ...nothing, temporary: true };
  const running: Contained[] = [];
  const start = async (parameters: readonly string[], mounts: Mounts) => {
    const contained = await container.start(parameters, mounts, { LOG_LEVEL: 'warn' });
    running.push(contained);
    return contained;
  };
  const runs = async (what: string, parameters: readonly string[], mounts: Mounts, has: RegExp) => {
    const command = await start(parameters, mounts);
    const code = await ends(command, parameters.join(' '));
    check(
      what,
      code === 0 && has.test(command.said()),
      code === 0 ? 'exit code 0' : `${code}: ${command.said()}`,
    );
  };
  /** Asks for its health, and what it may do. */
  const isWell = async (name: string, contained: Contained) => {
    const base = `http://127.0.0.1:${ports.get(name)}`;
    const [live, ready] = [
      await answer(`${base}/healthz`, contained),
      await answer(`${base}/readyz`, contained),
    ];
    const answered = `/healthz ${live}, /readyz ${ready}`;
    const well = live === 200 && ready === 200;
    check(`${name}: health`, well, well ? answered : `${answered}: ${contained.said()}`);
    if (contained.process.exitCode !== null) return;
    const powers = await powersOf(contained.process.pid!);
    check(
      `${name}: confined`,
      powers.length === 0,
      powers.join(', ') || 'user 1000, no capability, a read-only root',
    );
  };
  const stops = async (name: string, contained: Contained) => {
    const began = performance.now();
    contained.process.kill('SIGTERM');
    const code = await ends(contained, name);
    const seconds = (performance.now() - began) / 1000;
    const ended = `exit code ${code} after ${seconds.toFixed(1)} s`;
    check(
      `${name}: SIGTERM`,
      code === 0 && seconds < graceSeconds,
      code === 0 ? ended : `${ended}: ${contained.said()}`,
    );
  };

  try {
    await runs('--help, nothing writable', ['--help'], {}, /Usage: fusemesh/);
    await runs('doctor, nothing writable', ['doctor'], {}, /computes on cpu/);

    const served = new Map<string, Contained>();
    for (const name of teachers) served.set(name, await start(['teacher', '/data/run.yaml', name], nothing));
    served.set('target', await start(['target', '/data/run.yaml'], scratch));
    const listen = `127.0.0.1:${ports.get('rollout')}`;
    served.set('rollout', await start(['rollout', '/data/run.yaml', '--listen', listen], nothing));
    const feeder = await start(['feed', '/data/run.yaml'], volume);
    const trainer = await start(['trainer', '/data/run.yaml'], volume);
    for (const [name, contained] of served) await isWell(name, contained);
    await isWell('trainer', trainer);
    const page = await Promise.all(
      ['', 'page.js', 'page.css'].map(async (path) => {
        const { status, headers } = await fetch(`http://127.0.0.1:${ports.get('trainer')}/${path}`);
        return `${status} ${headers.get('content-type')?.split(';')[0]}`;
      }),
    );
    check('page', page.join() === '200 text/html,200 text/javascript,200 text/css', page.join(', '));

    await reachesCheckpoint(join(state, 'image'), trainer);
    await stops('trainer', trainer);
    const again = await start(['trainer', '/data/run.yaml'], volume);
    const trained = await ends(again, 'trainer');
    check(
      'trainer, started again',
      trained === 0,
      `exit code ${trained}${trained === 0 ? '' : again.said()}`,
    );
    const fed = await ends(feeder, 'feeder');
    check('feeder', fed === 0, `exit code ${fed}${fed === 0 ? '' : feeder.said()}`);
    for (const [name, contained] of served) await stops(name, contained);

    await runs(
      'report',
      ['report', '/data/run.yaml', '--output', '/var/lib/fusemesh/report.html'],
      volume,
      /./,
    );
    await runs(
      'kubernetes',
      ['kubernetes', '/data/run.yaml', '--monitoring'],
      nothing,
      /kind: PrometheusRule/,
    );
    await runs('up', ['up', '/data/together.yaml'], { ...volume, temporary: true }, /./);
  } finally {
    for (const { process: child } of running) if (child.exitCode === null) child.kill('SIGKILL');
    await nats.stop();
  }
}

/** A run of a minute in which the target writes half of the documents. */
function runFile(run: string, url: string, ports: ReadonlyMap<string, number> = new Map()): object {
  const chat = 'conversations';
  return {
    run,
    nats: { url },
    // Asked for by `kubernetes`; everything listens on 127.0.0.1 here.
    security: { insecure: true },
    contextLength: 256,
    corpus: [{ domain: 'chat', path: `${chat}/data.jsonl` }],
    onPolicy: {
      prompts: [{ domain: 'answers', path: `${chat}/data.jsonl`, invalid: 'skip' }],
      maxNewTokens: 16,
      share: 0.5,
    },
    heldOut: [{ domain: 'chat', path: `${chat}/held-out.jsonl` }],
    teachers: teachers.map((name) => ({
      name,
      address: '127.0.0.1:0',
      model: `zoo/${name}`,
      chatTemplate: `${chat}/chatml.jinja`,
      metricsPort: ports.get(name) ?? 0,
    })),
    target: {
      model: 'zoo/target',
      chatTemplate: `${chat}/chatml.jinja`,
      service: { address: '127.0.0.1:0', httpPort: ports.get('target') ?? 0 },
    },
    trainer: {
      address: '127.0.0.1:0',
      metricsPort: ports.get('trainer') ?? 0,
      output: `/var/lib/fusemesh/${run}`,
      steps: ports.size > 0 ? 24 : 6,
      batchDocuments: 4,
      checkpointEvery: 4,
    },
  };
}

/** The status of an answer that is waited for; 0 where none comes. */
async function answer(url: string, { process: child }: Contained): Promise<number> {
  let status = 0;
  const until = performance.now() + answersWithin;
  while (status !== 200 && performance.now() < until && child.exitCode === null) {
    status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    await sleep(200);
  }
  return status;
}

async function reachesCheckpoint(output: string, { process: child, said }: Contained): Promise<void> {
  while ((await newestCheckpointStep(output)) === 0) {
    if (child.exitCode !== null) throw new FuseMeshError('internal', `The trainer ended early: ${said()}`);
    await sleep(100);
  }
}

async function ends({ ended, said }: Contained, what: string): Promise<number | NodeJS.Signals> {
  const never = sleep(endsWithin, undefined, { ref: false }).then(() => {
    throw new FuseMeshError('internal', `${what} does not end: ${said().slice(-2_000)}`);
  });
  return Promise.race([ended, never]);
}
