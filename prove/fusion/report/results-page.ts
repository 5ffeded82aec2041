import type { Combination } from '../combination/combinations.ts';
import type { Experiment } from '../experiment.ts';
import { lossesOf } from '../statistics/losses.ts';
import { type Ablation, ablationPicture, ablationSection } from './ablation-section.ts';
import { combinationSection } from './combination-section.ts';
import { efficiencyPicture, efficiencySection } from './efficiency-section.ts';
import type { Findings } from './findings.ts';
import { mainPicture, mainSection } from './main-section.ts';
import { factsOfRun, sizeOfTrainings } from './what-was-run.ts';

/** What the demo's page is made of beside. */
export interface DemoFindings extends Findings {
  readonly experiments: readonly Experiment[];
  readonly combinations: readonly Combination[];
  /** Written by hand, in Markdown. */
  readonly remarks: string;
}

/** Pages of their own. */
const otherStudies = [
  '[SmolLM2-135M](results/smollm2.md), a real LLM of 49,152 tokens, as the teacher',
  'targets of [4](results/target-4m.md) and [16 million](results/target-16m.md) parameters, and [one with adapters](results/lora.md)',
  '[own text](results/own-text.md): a target that writes what it learns from',
];

/** The page and its pictures, by their paths below docs/. */
export function resultsPage(findings: DemoFindings): Map<string, string> {
  const { experiments, results, combinations, remarks } = findings;
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
    `## Other studies\n\n${otherStudies.map((study) => `- ${study}`).join('\n')}`,
    `## What did not work, and other remarks\n\n${remarks.trim()}`,
  ];
  return new Map([
    ['results.md', `${sections.join('\n\n')}\n`],
    ['results/main.svg', mainPicture(losses, of('main'))],
    ['results/ablations.svg', ablationPicture(losses, ablations)],
    ['results/sample-efficiency.svg', efficiencyPicture(results, of('sample efficiency'))],
  ]);
}

const whatWasRun = (findings: Findings): string =>
  [
    "The demo's corpus (examples/demo.yaml) is cut into the same documents as the feeder cuts it. Every source scores " +
      `them once, as over the wire; the trainings read what was recorded. ${sizeOfTrainings(findings.results)} A seed ` +
      'decides the target and the order of the documents. No run of 60 characters of the held-out text stands in what ' +
      `is trained on; it was compared with ${findings.compared}.`,
    `\`\`\`sh\n${findings.circumstances.command}\n\`\`\``,
    factsOfRun(findings),
  ].join('\n\n');
