import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatTemplate } from '../model/chat/chat-template.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import { turnPlaces } from '../model/chat/content-layout.ts';
import type { Conversation } from '../model/chat/conversation.ts';
import { learntLoss } from '../model/chat/learnt-loss.ts';
import { Scorer } from '../model/scoring/scorer.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { createLog } from '../process/log/log.ts';
import { fusionSettings } from '../test/support/fusion-settings.ts';
import type { TextDistribution } from '../wire/codec/text-distribution.ts';
import { RolloutSchema } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import { assembleBatch, type SourceRelation } from './batch/assemble-batch.ts';
import type { Fusion } from './fusion-of-run.ts';
import { relateSource } from './relate-source.ts';

const examples = join(import.meta.dirname, '../examples');
/** The teachers of examples/conversations: tokenizers and chat templates of their own. */
const teachers = [
  { name: 'orator', chatTemplate: join(examples, 'conversations/chatml.jinja') },
  { name: 'novelist', chatTemplate: join(examples, 'conversations/llama-2.jinja') },
];
const topK = 64;

/** What the target answered, with 2,024 and a word that the tokenizers cut in ways of their own. */
const answer = (unfinished = false): Conversation => ({
  turns: [
    { role: 'user', content: 'What is thermodynamics?', learnt: false, extras: '' },
    {
      role: 'assistant',
      content: 'The branch of physics that dealt with heat, in 2,024 incomprehensible pages.',
      learnt: true,
      extras: '',
      unfinished,
    },
  ],
  tools: '',
});

let scorers: Scorer[];
let target: ContentEncoder;
beforeAll(async () => {
  scorers = await Promise.all(
    teachers.map(({ name, chatTemplate }) =>
      Scorer.load(join(examples, 'zoo', name), { topK, threads: 1, chatTemplate }),
    ),
  );
  const directory = join(examples, 'zoo/target');
  target = new ContentEncoder(
    await Tokenizer.fromFile(join(directory, 'tokenizer.json')),
    await ChatTemplate.fromDirectory(directory),
  );
});
afterAll(() => Promise.all(scorers.map((scorer) => scorer.close())));

const said = (content: Conversation): Promise<TextDistribution[]> =>
  Promise.all(
    scorers.map(async (scorer, s) => {
      const [scored] = await scorer.score([content]);
      const { fingerprint } = scorer.tokenizer;
      return { ...scored, document: 0, teacher: teachers[s].name, tokenizerFingerprint: fingerprint };
    }),
  );

const relationsFor = (rolloutDivergence: Fusion['divergence']): Promise<SourceRelation[]> => {
  const settings = { ...fusionSettings, truncated: 'tail' as const };
  const fusion: Fusion = {
    align: 'boundary',
    vocabulary: 'exact',
    candidates: topK,
    divergence: { kind: 'ce' },
    rolloutDivergence,
    lambda: 0.3,
    settings,
  };
  const log = createLog('test', { level: 'silent' });
  return Promise.all(
    scorers.map((scorer, s) =>
      relateSource(
        teachers[s].name,
        new ContentEncoder(scorer.tokenizer, scorer.template),
        target,
        fusion,
        log,
      ),
    ),
  );
};

/** The batch of one conversation, judged by a teacher. */
async function judged(content: Conversation, teacher: string, kind: 'reverseKL' | 'policyGradient') {
  const [tokenization] = await target.encodeBatch([content]);
  const candidates = kind === 'policyGradient' ? 1 : topK;
  const rollout = create(RolloutSchema, { teacher, tokens: 20, logProbability: -60 });
  const distributions = await said(content);
  const assembled = assembleBatch(
    [{ number: 0, content, tokenization, rollout, distributions }],
    await relationsFor({ kind }),
    { ...fusionSettings, truncated: 'tail' },
    { candidates },
  );
  return { ...assembled, tokenization, distributions };
}
type Judged = Awaited<ReturnType<typeof judged>>;

/** What was fused for the text's own next token after each; 0 where nothing was. */
const ofLabels = ({ batch: { labels, candidates, fusedIds, fusedProbabilities } }: Judged): number[] =>
  Array.from(labels, (label, row) => {
    const at = fusedIds.subarray(row * candidates, (row + 1) * candidates).indexOf(label);
    return at < 0 || label < 0 ? 0 : fusedProbabilities[row * candidates + at];
  });
const isTaught = ({ batch: { labels, candidates, fusedProbabilities } }: Judged): boolean[] =>
  Array.from(labels, (_, row) =>
    fusedProbabilities.subarray(row * candidates, (row + 1) * candidates).some((value) => value > 0),
  );

describe('two teachers with tokenizers and templates of their own judge one conversation of the target', () => {
  it.each(teachers.map(({ name }, s) => [name, s] as const))('%s does, alone', async (name, s) => {
    const content = answer();
    const result = await judged(content, name, 'reverseKL');
    const { batch, count, rollouts, distributions, tokenization, chosenSources } = result;
    const { begin, end } = turnPlaces(content)[1];
    expect(chosenSources).toEqual([s]);
    expect(count.taught[1 - s]).toBe(0);
    // It speaks at most positions of the answer, and nowhere else.
    expect(count.aligned / count.positions).toBeGreaterThan(0.5);
    isTaught(result).forEach((taught, row) => {
      if (taught) expect(tokenization.starts[row + 1]).toBeGreaterThanOrEqual(begin);
    });
    // It speaks of what follows the answer's last word too, though another token ends its turns.
    const last = tokenization.ends.lastIndexOf(end);
    expect(batch.labels[last]).toBe(await target.endOfTurn());
    expect(isTaught(result)[last]).toBe(true);
    const nats = distributions[s].tokenLogProbabilities.map((value) => -value);
    const { crossEntropy } = learntLoss(content, distributions[s], nats);
    expect(rollouts).toMatchObject([{ judge: { source: s, crossEntropy } }]);
    expect(crossEntropy).toBeGreaterThan(0);
  });

  it.each(teachers.map(({ name }, s) => [name, s] as const))(
    '%s judges the tokens that the target drew, of which its own are parts',
    async (name, s) => {
      const content = answer();
      const drawn = await judged(content, name, 'policyGradient');
      const candidates = await judged(content, name, 'reverseKL');
      const [alone, among] = [ofLabels(drawn), ofLabels(candidates)];
      const { tokenization, distributions } = drawn;
      const { ends, tokenLogProbabilities } = distributions[s];
      const upTo = (byte: number) =>
        tokenLogProbabilities.reduce((sum, value, i) => (ends[i] <= byte ? sum + value : sum), 0);
      let [judgedTokens, ofParts] = [0, 0];
      alone.forEach((probability, row) => {
        if (probability === 0) return;
        judgedTokens++;
        const [begin, end] = [tokenization.ends[row], tokenization.ends[row + 1]];
        expect(Math.log(probability)).toBeCloseTo(upTo(end) - upTo(begin), 3);
        // Among the candidates stands the same, but where the token is none of them.
        if (among[row] > 0) expect(among[row] / probability).toBeCloseTo(1, 2);
        if (ends.filter((byte) => byte > begin && byte <= end).length > 1) ofParts++;
      });
      expect(judgedTokens).toBeGreaterThan(10);
      expect(ofParts).toBeGreaterThan(0);
      // That the answer ends where it does is none of its candidates: neither has heard a conversation before.
      const { end } = turnPlaces(content)[1];
      const last = tokenization.ends.lastIndexOf(end);
      expect(alone[last]).toBeGreaterThan(0);
      expect(Math.log(alone[last])).toBeCloseTo(tokenLogProbabilities[ends.indexOf(end + 1)], 3);
    },
  );

  it.each(teachers.map(({ name }) => [name] as const))(
    '%s judges the end of a completion of a text: its own end-of-text token becomes that of the target',
    async (name) => {
      const turns = answer().turns.map((turn) => ({ ...turn, role: '' }));
      const result = await judged({ turns, tools: '' }, name, 'policyGradient');
      const { batch, tokenization } = result;
      const last = tokenization.ends.lastIndexOf(turnPlaces({ turns, tools: '' })[1].end);
      expect(batch.labels[last]).toBe(target.endOfText());
      expect(ofLabels(result)[last]).toBeGreaterThan(0);
    },
  );

  it.each(['reverseKL', 'policyGradient'] as const)(
    'neither says anything about the end of an unfinished one: %s',
    async (kind) => {
      for (const { name } of teachers) {
        const [finished, cut] = [await judged(answer(), name, kind), await judged(answer(true), name, kind)];
        const last = cut.tokenization.ends.lastIndexOf(turnPlaces(answer())[1].end);
        expect([isTaught(finished)[last], isTaught(cut)[last]]).toEqual([true, false]);
        expect(cut.batch.labels[last]).toBe(-1);
        expect(cut.count.positions).toBe(finished.count.positions - 1);
        expect(cut.rollouts[0].judge!.crossEntropy).toBeLessThan(finished.rollouts[0].judge!.crossEntropy);
      }
    },
  );
});
