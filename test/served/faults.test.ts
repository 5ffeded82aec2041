import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Scorer } from '../../model/scoring/scorer.ts';
import type { ServedModel } from '../../services/teacher/backends/served/served-model.ts';
import { connectServed, zooModel } from './connect-served.ts';
import { type FaultName, faults } from './faults/faults.ts';
import { servedApis } from './served-apis.ts';
import { ServedServer } from './served-server.ts';

const texts = [
  'Fellow citizens of the Senate and of the House of Representatives, we meet again.',
  'I have the honor to lay before you, with these words, the state of the Union. 🙂',
  'We',
];
const none = { lane: 'test' };
let scorer: Scorer;

beforeAll(async () => {
  scorer = await Scorer.load(zooModel('orator'), { topK: 8, threads: 1 });
});
afterAll(() => scorer?.close());

describe.each(servedApis)('before a server that speaks as %s', (api) => {
  let server: ServedServer;

  beforeAll(async () => {
    server = await ServedServer.start({ api, directory: zooModel('orator') });
  });
  afterEach(() => server.misbehave(undefined));
  afterAll(() => server?.stop());

  const expectOwnScores = async (model: ServedModel) => {
    const own = await scorer.score(texts);
    expect(await model.score(texts, 8, none)).toEqual(own);
  };

  it('gives what our own scorer gives, to the bit', async () => {
    await expectOwnScores(await connectServed(api, server.url));
  });

  it.each<[FaultName, RegExp]>([
    ['offByOne', /does not say the same of a text as of its beginning/],
    ['disturbedPrompt', /does not say the same of a text as of its beginning/],
    ['otherTokenizer', /has another tokenizer: of ".*" it makes token \d+/],
    ['otherPrompt', /does not score as|same of a text/],
    ['cutOff', /rows for|tokens/],
    ['ownTokenMissing', /does not score as/],
    ['notANumber', /does not score as/],
    ['positive', /does not score as/],
    ['massAboveOne', /does not score as.*(mass|sum)/],
    ['idTwice', /does not score as/],
    ['idBeyondVocabulary', /does not score as.*vocabulary/],
    ['negativeId', /does not score as/],
    ['rowTooMany', /does not score as/],
    ['rowTooFew', /does not score as/],
    ['candidateTooFew', /does not score as/],
    ['truncated', /does not score as/],
    ['page', /does not score as/],
    ['empty', /does not score as/],
    ['endless', /more than the \d+ bytes/],
    ['unauthorized', /refuses the API key \(401\)/],
    ['notFound', /404/],
    ['redirect', /elsewhere|redirect/],
    ['refused400', /not welcome/],
  ])('refuses at the start, with the reason: %s', async (fault, reason) => {
    server.misbehave(faults[fault]);
    const error = await connectServed(api, server.url).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ name: 'FuseMeshError', message: expect.stringMatching(reason) });
  });

  // The answer to one request is wrong: it is asked again, and what comes out is right to the bit.
  it.each<FaultName>([
    'otherPrompt',
    'cutOff',
    'ownTokenMissing',
    'notANumber',
    'positive',
    'massAboveOne',
    'idTwice',
    'idBeyondVocabulary',
    'negativeId',
    'rowTooMany',
    'rowTooFew',
    'candidateTooFew',
    'truncated',
    'page',
    'empty',
    'nan400',
    'tooManyRequests',
    'engineDead',
    'unavailable',
    'slowLoris',
    'halfOpen',
    'headersOnly',
    'reset',
    'cutConnection',
    'endless',
  ])('asks again, once it met: %s', async (fault) => {
    const model = await connectServed(api, server.url);
    server.misbehave(faults[fault], 1);
    await expectOwnScores(model);
  });

  it.each<FaultName>([
    'cutOff',
    'ownTokenMissing',
    'notANumber',
    'massAboveOne',
    'idTwice',
    'idBeyondVocabulary',
    'rowTooMany',
    'truncated',
    'page',
    'endless',
    'refused400',
  ])('gives up a text that is never answered rightly, with the reason: %s', async (fault) => {
    const model = await connectServed(api, server.url);
    const [{ tokenIds }] = await scorer.score([texts[0]]);
    server.misbehave({ ...faults[fault], only: tokenIds });
    const [outcome] = await model.score([texts[0]], 8, none);
    expect(outcome).toEqual({ refusal: expect.stringMatching(/\w+ \w+ \w+/) });
    server.misbehave(undefined);
    await expectOwnScores(model);
  });

  it.each<[FaultName, RegExp]>([
    ['unauthorized', /refuses the API key/],
    ['notFound', /404/],
    ['redirect', /elsewhere|redirect/],
  ])('stops in the middle with a sentence: %s', async (fault, reason) => {
    const model = await connectServed(api, server.url);
    server.misbehave(faults[fault]);
    await expect(model.score(texts, 8, none)).rejects.toThrow(reason);
    expect((await model.failed).message).toMatch(reason);
  });

  it('gets through a storm of 503, with fewer requests at a time', { timeout: 60_000 }, async () => {
    const model = await connectServed(api, server.url);
    server.misbehave(faults.unavailable, 24);
    const many = Array.from({ length: 24 }, (_, i) => `${texts[0]} ${i}`);
    const own = await scorer.score(many);
    const outcomes = await model.score(many, 8, none);
    expect(outcomes.map((outcome) => 'tokenIds' in outcome && outcome.logProbabilities)).toEqual(
      own.map(({ logProbabilities }) => logProbabilities),
    );
    server.mostInFlight = 0;
    await model.score(many, 8, none);
    expect(server.mostInFlight).toBeLessThan(16);
  });

  it('waits while the server is away, and goes on when it is back', { timeout: 60_000 }, async () => {
    const model = await connectServed(api, server.url);
    await server.die();
    const scored = model.score(texts, 8, none);
    expect(
      await Promise.race([scored, new Promise((resolve) => setTimeout(resolve, 1_000))]),
    ).toBeUndefined();
    await server.listen();
    expect(await scored).toEqual(await scorer.score(texts));
  });

  it('stops when another model has come behind the url', { timeout: 60_000 }, async () => {
    const model = await connectServed(api, server.url);
    server.misbehave(faults.halfOpen);
    const { asked } = server;
    const scored = model.score(texts, 8, none);
    await expect.poll(() => server.asked).toBe(asked + texts.length);
    await server.die();
    server.misbehave(faults.otherModel);
    await server.listen();
    await expect(scored).rejects.toThrow(/is another one than this teacher began with/);
    expect((await model.failed).message).toMatch(/another one/);
  });

  it('ends what nobody waits for', async () => {
    const model = await connectServed(api, server.url);
    server.misbehave(faults.halfOpen);
    const { left, asked } = server;
    const leaving = new AbortController();
    const scored = model.score([texts[0]], 8, { ...none, signal: leaving.signal });
    await expect.poll(() => server.asked).toBe(asked + 1);
    leaving.abort();
    await expect(scored).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => server.left).toBe(left + 1);
  });

  it('names the setting that is wrong', async () => {
    await expect(connectServed(api, server.url, { model: 'other' })).rejects.toThrow(
      /serves model, not other/,
    );
    await expect(connectServed(api, server.url, { contextLength: 256 })).rejects.toThrow(
      /--(max-model-len|context-length) 257/,
    );
    const tokenizer = zooModel('novelist');
    await expect(connectServed(api, server.url, { tokenizer })).rejects.toThrow(/another tokenizer/);
    if (api === 'vllm') {
      await expect(connectServed(api, server.url, { topK: 21 })).rejects.toThrow(/--max-logprobs 21/);
    }
  });

  it('shares texts among replicas, and leaves out one that is away', { timeout: 60_000 }, async () => {
    const other = await ServedServer.start({ api, directory: zooModel('orator') });
    try {
      const model = await connectServed(api, [server.url, other.url]);
      const many = Array.from({ length: 12 }, (_, i) => `${texts[1]} ${i}`);
      const shared = async () => {
        await model.score(many, 8, none);
        return other.asked;
      };
      // A dozen and more of its requests are the probe's.
      await expect.poll(shared, { timeout: 20_000 }).toBeGreaterThan(40);
      await other.die();
      expect((await model.score(many, 8, none)).every((outcome) => 'tokenIds' in outcome)).toBe(true);
    } finally {
      await other.stop();
    }
  });
});
