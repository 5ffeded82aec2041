import { describe, expect, it, onTestFinished } from 'vitest';
import { OnnxModel } from '../../services/teacher/backends/onnx-model.ts';
import { isRefused } from '../../services/teacher/teacher-model.ts';
import { exampleConfig } from '../../test/support/example-config.ts';
import { bytesOfToken } from '../../wire/codec/bytes-of-token.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { zoo } from '../fusion/zoo-documents.ts';
import { devicesOf } from './accelerators.ts';
import { type Machines, placeOnAccelerators } from './place-on-accelerators.ts';
import { byName, shareDevices } from './placement.ts';
import { heldOutTokensOf, planRun, sizesOf } from './plan-run.ts';
import { bottleneckOf, planText } from './plan-text.ts';
import { sampleCorpus } from './sample-corpus.ts';

const config = exampleConfig({
  contextLength: 128,
  corpus: [{ domain: 'fiction', path: `${zoo}/corpus/fiction.txt` }],
  teachers: ['orator', 'novelist'].map((name) => ({ name, address: '127.0.0.1:0', model: `${zoo}/${name}` })),
  target: { model: `${zoo}/target` },
});
const corpus = await sampleCorpus(config, 2_000);
const sizes = await sizesOf(config);

async function planned(changes: Partial<Machines>) {
  const machines: Machines = {
    teachers: { all: devicesOf('2') },
    teacherSpeed: undefined,
    trainer: devicesOf('1'),
    trainerSpeed: undefined,
    utilisation: 0.4,
    ...changes,
  };
  const heldOutTokens = await heldOutTokensOf(config, corpus);
  const placed = placeOnAccelerators(config, sizes, { corpus, heldOutTokens }, machines);
  return planRun(config, sizes, corpus, { placed, natsBytesPerSecond: 2e8 });
}

describe('a plan', () => {
  it('names the slowest teacher, how long it takes, and how many of it would be enough', async () => {
    const speeds = new Map([
      ['orator', 5_000],
      ['novelist', 1_000],
    ]);
    const plan = await planned({ teacherSpeed: speeds, trainerSpeed: 3_500 });
    expect(bottleneckOf(plan)).toMatch(/^teacher novelist: the trainer waits for it 7\d %/);
    expect(plan.sources.map(({ enough }) => enough)).toEqual([1, 4]);
    const novelistTokens =
      (2_000 * corpus.sourceTokens[1].reduce((a, b) => a + b)) / corpus.sourceTokens[1].length;
    expect(plan.simulated.seconds / (novelistTokens / 1_000)).toBeCloseTo(1, 1);
    expect(planText(config, plan, [])).toContain('Bottleneck   teacher novelist');
  });

  it('names the trainer where the teachers are faster', async () => {
    const plan = await planned({ teacherSpeed: { all: 9_000 }, trainerSpeed: 1_000 });
    expect(bottleneckOf(plan)).toMatch(/^the trainer, busy (9\d|100) %/);
  });

  it('takes speeds from accelerators: 2 FLOP a parameter and token, in float32', async () => {
    const plan = await planned({ teachers: { all: devicesOf('2xA10') }, trainer: devicesOf('A100') });
    const { parameters } = sizes.target;
    const roughly = (31.2e12 * 0.4) / (2 * parameters);
    expect(plan.sources[0].tokensPerSecond / roughly).toBeGreaterThan(0.7);
    expect(plan.sources[0].tokensPerSecond / roughly).toBeLessThan(1.3);
  });

  it('refuses a run of which it knows no speed', async () => {
    await expect(planned({})).rejects.toThrow('How fast is orator?');
    await expect(planned({ teacherSpeed: { all: 1 } })).rejects.toThrow('How fast is the trainer?');
    await expect(planned({ teacherSpeed: { all: 1 }, trainer: devicesOf('2xA100') })).rejects.toThrow(
      'one trainer',
    );
  });
});

describe('devices', () => {
  it('are read from words', () => {
    expect(devicesOf('8xA10')).toEqual({ count: 8, kind: 'A10' });
    expect(devicesOf('A100')).toEqual({ count: 1, kind: 'A100' });
    expect(devicesOf('3')).toEqual({ count: 3, kind: undefined });
    for (const wrong of ['8xA11', '0xA10', '0', '', 'x', '-1'])
      expect(() => devicesOf(wrong)).toThrow(`"${wrong}"`);
  });

  it('are given by name to all or to none', () => {
    const read = byName('a=2,b=3', ['a', 'b'], Number);
    expect(read).toEqual(
      new Map([
        ['a', 2],
        ['b', 3],
      ]),
    );
    expect(byName('4', ['a', 'b'], Number)).toEqual({ all: 4 });
    expect(() => byName('a=2', ['a', 'b'], Number)).toThrow('says nothing of b');
    expect(() => byName('c=2', ['a'], Number)).toThrow('names c');
  });

  it('go to who has most to do; too few are shared', () => {
    expect(shareDevices([1, 3], 4)).toEqual([[0], [1, 2, 3]]);
    expect(shareDevices([3, 1, 1], 2)).toEqual([[0], [1], [1]]);
  });
});

it('a distribution with all its candidates takes as many bytes as are published, within a tenth', async () => {
  const contents = corpus.contents.slice(0, 4);
  const { signal } = new AbortController();
  for (const topK of [10, 50, 200]) {
    const model = await OnnxModel.load(`${zoo}/orator`, { topK, threads: 1, placement: { provider: 'cpu' } });
    onTestFinished(() => model.close());
    const { vocabularySize } = model.card;
    const origin = { teacher: 'orator', tokenizerFingerprint: model.tokenizer.fingerprint };
    let [bytes, tokens] = [0, 0];
    for (const [document, said] of (await model.score(contents, topK, { lane: '', signal })).entries()) {
      if (isRefused(said)) throw new Error(said.refusal);
      bytes += distributionToBytes({ ...said, ...origin, document }, vocabularySize, 1).length;
      tokens += said.tokenIds.length;
    }
    const share = bytesOfToken(topK, vocabularySize) / (bytes / tokens);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1.1);
  }
});
