import { describe, expect, it } from 'vitest';
import { Hosts } from './hosts.ts';
import { type Mesh, type MeshSource, simulate } from './simulate.ts';

const gpu = (name: string) => ({ name, cores: 1, efficiency: 1 });

const source = (secondsPerToken: number, ...replicas: readonly number[]): MeshSource => ({
  name: `source at ${replicas}`,
  replicas,
  threads: 1,
  batchDocuments: 2,
  tokens: [100],
  secondsPerToken,
  bytesPerToken: 200,
});

/** 100 steps of 4 documents of 100 tokens; a step takes 0.4 s. */
const mesh = (sources: readonly MeshSource[], changes: Partial<Mesh> = {}): Mesh => ({
  documents: 400,
  steps: 100,
  hosts: [gpu('trainer'), gpu('core'), gpu('a'), gpu('b'), gpu('c')],
  sources,
  nats: { maxDocuments: 256, bytesPerSecond: 1e9, publishSeconds: 1e-4 },
  trainer: {
    host: 0,
    fusionHost: 1,
    threads: 1,
    batchDocuments: 4,
    tokens: [100],
    secondsPerToken: 1e-3,
    secondsPerStep: 0,
    fusionSecondsPerToken: 1e-5,
    checkpointEvery: 10,
    snapshotSeconds: 0,
    writeSeconds: 0.01,
    evaluation: undefined,
  },
  ...changes,
});

const shareOf = ({ causes, seconds }: ReturnType<typeof simulate>, cause: string) =>
  ([...causes].find(([name]) => name === cause)?.[1] ?? 0) / seconds;

describe('a simulated run', () => {
  it('takes as long as its trainer where the teachers are faster', () => {
    const simulated = simulate(mesh([source(1e-4, 2), source(5e-4, 3)]));
    expect(simulated.seconds).toBeCloseTo(40, 0);
    expect(shareOf(simulated, 'training')).toBeGreaterThan(0.98);
    expect(simulated.scoringShares[1]).toBeCloseTo(0.5, 1);
  });

  it('takes as long as its slowest teacher, and names it', () => {
    const simulated = simulate(mesh([source(1e-4, 2), source(2e-3, 3)]));
    expect(simulated.seconds).toBeCloseTo(80, 0);
    expect(shareOf(simulated, 'source 1')).toBeCloseTo(0.5, 1);
  });

  it('is as fast with two replicas as with one that is twice as fast', () => {
    const simulated = simulate(mesh([source(4e-3, 2, 3)]));
    expect(simulated.seconds).toBeCloseTo(80, 0);
  });

  it('shares a machine among those who compute there', () => {
    // Teacher and trainer take 40 s each on one core: together 80 s.
    expect(simulate(mesh([source(1e-3, 0)])).seconds).toBeCloseTo(80, 0);
  });

  it('waits for NATS where a link is too slow', () => {
    const slow = { maxDocuments: 256, bytesPerSecond: 1e5, publishSeconds: 1e-4 };
    const simulated = simulate(mesh([source(1e-4, 2)], { nats: slow }));
    // 400 documents of 100 tokens of 200 bytes.
    expect(simulated.seconds).toBeCloseTo(80, 0);
    expect(simulated.natsShare).toBeGreaterThan(0.98);
    expect(shareOf(simulated, 'nats')).toBeGreaterThan(0.4);
  });

  it('waits for room where checkpoints are far apart and slow to write', () => {
    const { trainer, ...rest } = mesh([source(5e-4, 2)]);
    const nats = { ...rest.nats, maxDocuments: 40 };
    const simulated = simulate({ ...rest, nats, trainer: { ...trainer, writeSeconds: 2 } });
    expect(shareOf(simulated, 'room')).toBeGreaterThan(0.1);
  });

  it('refuses a run whose streams do not hold what a checkpoint covers', () => {
    const nats = { maxDocuments: 39, bytesPerSecond: 1e9, publishSeconds: 1e-4 };
    expect(() => simulate(mesh([source(1e-4, 2)], { nats }))).toThrow('stands still');
  });

  it('asks the teachers in the first pass alone', () => {
    const simulated = simulate(mesh([source(2e-3, 2)], { steps: 200 }));
    expect(simulated.seconds).toBeCloseTo(80 + 40, 0);
  });

  it('counts each evaluation', () => {
    const { trainer, ...rest } = mesh([source(1e-4, 2)]);
    const simulated = simulate({ ...rest, trainer: { ...trainer, evaluation: { every: 50, seconds: 5 } } });
    expect(simulated.seconds).toBeCloseTo(50, 0);
  });
});

describe('hosts', () => {
  it('give each thread a fair part, less where all cores are busy', () => {
    const hosts = new Hosts([{ name: 'machine', cores: 2, efficiency: 0.8 }]);
    const ends: number[] = [];
    for (const seconds of [1, 1, 2]) {
      hosts.begin({ host: 0, threads: 1, seconds }, () => ends.push(hosts.now));
    }
    while (hosts.next(() => {}));
    // Three share two cores: each does 1.6 / 3; what is left runs alone.
    expect(ends[0]).toBeCloseTo(3 / 1.6);
    expect(ends[2]).toBeCloseTo(3 / 1.6 + 1);
    expect(hosts.busySeconds(0)).toBeCloseTo((2 * 3) / 1.6 + 1);
  });
});
