import type { Combination } from '../combination/combinations.ts';
import type { Experiment } from '../experiment.ts';
import type { NamedResult } from '../measure/equal-effort.ts';
import type { RealFindings } from '../real/real-findings.ts';
import { lossesOf } from '../statistics/losses.ts';
import { type Ablation, ablationPicture, ablationSection } from './ablation-section.ts';
import type { Circumstances } from './circumstances.ts';
import { combinationSection } from './combination-section.ts';
import { efficiencyPicture, efficiencySection } from './efficiency-section.ts';
import { mainPicture, mainSection } from './main-section.ts';
import { markdownTable } from './markdown.ts';
import { realPicture, realSection } from './real-section.ts';

/** What the page is made of. */
export interface Findings {
  readonly experiments: readonly Experiment[];
  readonly results: readonly NamedResult[];
  readonly circumstances: Circumstances;
  readonly combinations: readonly Combination[];
  /** What held-out text was compared with. */
  readonly compared: string;
  /** Undefined where nothing has been measured with a real LLM. */
  readonly real: RealFindings | undefined;
  /** The section that `prove -- on-policy` wrote; undefined where it has not. */
  readonly onPolicy: string | undefined;
  /** Written by hand, in Markdown; undefined where there are none. */
  readonly remarks: string | undefined;
}

/** The page and its pictures, by their paths below docs/. */
export function resultsPage(findings: Findings): Map<string, string> {
  const { experiments, results, combinations, real, onPolicy, remarks } = findings;
  const losses = lossesOf(results);
  const of = (group: Experiment['group']) =>
    experiments.filter((experiment) => experiment.group === group).map(({ name }) => name);
  const ablations: Ablation[] = [
    { heading: 'Alignment, vocabulary and combination', names: of('ablations') },
    { heading: 'Candidates a token', names: of('candidates') },
    { heading: 'Weight of the text against the teachers', names: of('lambda') },
  ];
  const sections = [
    '# Fused training against continued training',
    '<!-- Written by `npm run prove -- fusion --write`; remarks by hand go into prove/fusion/remarks.md. -->',
    whatWasRun(findings),
    mainSection(losses, of('main')),
    ablationSection(losses, ablations),
    efficiencySection(results, of('sample efficiency')),
    combinationSection(combinations),
    ...(real === undefined ? [] : [realSection(real)]),
    ...(onPolicy === undefined ? [] : [onPolicy.trim()]),
    ...(remarks === undefined ? [] : ['## What did not work, and other remarks', remarks.trim()]),
  ];
  return new Map([
    ['results.md', `${sections.join('\n\n')}\n`],
    ['results/main.svg', mainPicture(losses, of('main'))],
    ['results/ablations.svg', ablationPicture(losses, ablations)],
    ['results/sample-efficiency.svg', efficiencyPicture(results, of('sample efficiency'))],
    ...(real === undefined ? [] : ([['results/real.svg', realPicture(real)]] as const)),
  ]);
}

function whatWasRun({ results, circumstances, compared }: Findings): string {
  const once = [...new Map(results.map(({ result }) => [result.key, result])).values()];
  const seeds = [...new Set(once.map(({ seed }) => seed))];
  const hours = once.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const whole = results.find(({ share, passes }) => share === 1 && passes === 1)?.result;
  const facts = [
    ...circumstances.facts,
    ['seeds', seeds.join(', ')],
    ['trainings', String(once.length)],
    ['learning rate', [...new Set(once.map(({ learningRate }) => learningRate))].join(', ')],
    ['wall time', `${(hours / 2).toFixed(1)} h, two trainings at a time`],
  ];
  return [
    `The demo's corpus (examples/demo.yaml) is cut into the same documents as the feeder cuts it. Every source scores ` +
      'them once, as over the wire; the trainings read what was recorded. All trainings of one seed begin with the ' +
      `same weights and take the same documents in the same order, in batches of the same size: ` +
      `${whole?.steps ?? 0} steps and about ${(whole?.tokens ?? 0).toLocaleString('en-GB')} tokens, which the command ` +
      'checks. A seed decides the target and the order of the documents. No run of 60 characters of the held-out text ' +
      `stands in what is trained on; it was compared with ${compared}.`,
    `\`\`\`sh\n${circumstances.command}\n\`\`\``,
    markdownTable(['', ''], facts),
  ].join('\n\n');
}
