/** Speed of both alignments against FuseLLM's own code, and how many positions each finds. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alignByBoundary, NOT_ALIGNED } from '../fusion/align/boundary.ts';
import { createSameToken } from '../fusion/fusellm/fusellm-rows.ts';
import { minimumEditDistanceMap } from '../fusion/fusellm/minimum-edit-distance.ts';
import { createTimeWarping } from '../fusion/fusellm/time-warping.ts';
import type { Tokenization } from '../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { loadRealTokenizer } from '../test/support/real-tokenizer.ts';
import { type Figure, report, shortestSeconds } from './report.ts';

const root = join(import.meta.dirname, '..');
const tokensOfText = 512;
const textsOfFile = 2;
/** Prose, tables of options, code. */
const files = [
  'examples/zoo/held-out/fiction.txt',
  'examples/zoo/held-out/manuals.txt',
  'fusion/fusellm/time-warping.ts',
  'README.md',
];

/** A tokenization of a text. */
type Tokens = Pick<Tokenization, 'ids' | 'ends'>;

interface Pair {
  readonly target: Tokens;
  readonly source: Tokens;
}

interface RivalResult {
  /** Sum of each text's shortest time. */
  readonly seconds: number;
  readonly aligned: readonly (readonly number[])[];
}

const target = await loadRealTokenizer('llama2');
const source = await loadRealTokenizer('gpt2');

/** Consecutive texts of a file, each of 512 tokens of the target. */
async function cutTexts(file: string): Promise<string[]> {
  let rest = await readFile(join(root, file), 'utf8');
  const texts: string[] = [];
  for (let i = 0; i < textsOfFile; i++) {
    const { ends } = await target.encode(rest);
    const bytes = Buffer.from(rest);
    const end = ends[Math.min(tokensOfText, ends.length - 1)];
    texts.push(bytes.subarray(0, end).toString());
    rest = bytes.subarray(end).toString();
  }
  return texts.filter((text) => text.length > 0);
}

const strings = (tokenizer: Tokenizer, { ids }: Tokens): string[] =>
  Array.from(ids, (id) => tokenizer.tokenString(id)!);

/** FuseLLM's alignment of the same texts; undefined where it is not installed. */
function runRival(pairs: readonly Pair[]): RivalResult | undefined {
  if (process.env['FUSELLM_DIRECTORY'] === undefined) return undefined;
  const task = {
    rounds: 3,
    sourceMark: source.spaceMark,
    targetMark: target.spaceMark,
    texts: pairs.map((pair) => ({
      source: strings(source, pair.source),
      target: strings(target, pair.target),
    })),
  };
  const rival = spawnSync('python3', [join(root, 'bench/rivals/fusellm_align.py')], {
    input: JSON.stringify(task),
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  if (rival.status !== 0) {
    if (rival.stderr) console.error(rival.stderr);
    return undefined;
  }
  return JSON.parse(rival.stdout);
}

/** Sum over the texts of a task's shortest time; `repeats` makes a short task long enough to be measured. */
async function secondsOf(task: (pair: Pair) => void, repeats: number): Promise<number> {
  let sum = 0;
  for (const pair of pairs) {
    const seconds = await shortestSeconds(30, async () => {
      for (let i = 0; i < repeats; i++) task(pair);
    });
    sum += seconds / repeats;
  }
  return sum;
}

const texts = (await Promise.all(files.map(cutTexts))).flat();
const pairs: Pair[] = [];
for (const text of texts) {
  const { ids, ends } = await target.encode(text);
  // Without the beginning-of-sequence token, as in FuseLLM.
  pairs.push({ target: { ids: ids.subarray(1), ends: ends.subarray(1) }, source: await source.encode(text) });
}
const tokens = pairs.reduce((sum, pair) => sum + pair.target.ids.length, 0);

const alignByTimeWarping = createTimeWarping(target, source);
const warp = ({ target, source }: Pair) => alignByTimeWarping(target.ids, source.ids);
const meet = ({ target, source }: Pair) => alignByBoundary(target.ends, source.ends);
const warpSeconds = await secondsOf(warp, 1);
const meetSeconds = await secondsOf(meet, 200);
const rival = runRival(pairs);
if (rival === undefined) {
  console.error(
    'The rival is missing: FuseLLM by its authors (FUSELLM_DIRECTORY: its folder in a checkout), python3 with numpy and editdistance. These are our figures alone.',
  );
}

const isSame = createSameToken(target, source, minimumEditDistanceMap(source, target));
const count = (isAligned: (pair: Pair, text: number, position: number) => boolean): number =>
  pairs.reduce(
    (sum, pair, text) =>
      sum +
      pair.target.ids.reduce(
        (aligned, _, position) => aligned + (isAligned(pair, text, position) ? 1 : 0),
        0,
      ),
    0,
  );
const warped = pairs.map(warp);
const met = pairs.map(meet);
const onlyMatched = count((_, text, position) => warped[text][position] !== NOT_ALIGNED);
const used = count(({ target, source }, text, position) => {
  const row = warped[text][position];
  return row !== NOT_ALIGNED && isSame(position, target.ids[position], source.ids[row]);
});
const shared = count((_, text, position) => met[text][position] !== NOT_ALIGNED);

/** Milliseconds a text, and how many times faster than the rival. */
const speed = (name: string, seconds: number): Figure => ({
  name,
  value: (seconds * 1000) / pairs.length,
  unit: 'ms/text',
  ...(rival && { baseline: (rival.seconds * 1000) / pairs.length, ratio: rival.seconds / seconds }),
});
const share = (name: string, aligned: number): Figure => ({
  name,
  value: (100 * aligned) / tokens,
  unit: '%',
});
report('align', [
  { name: 'texts', value: pairs.length, unit: 'texts' },
  { name: 'target tokens', value: tokens / pairs.length, unit: 'tokens/text' },
  speed('dtw', warpSeconds),
  speed('boundary', meetSeconds),
  share('dtw: matched with one token', onlyMatched),
  share('dtw: and that the same token', used),
  share('boundary: aligned', shared),
  ...(rival
    ? [
        share(
          'dtw: as FuseLLM',
          count((_, text, i) => warped[text][i] === rival.aligned[text][i]),
        ),
      ]
    : []),
]);
