import { byDefault, continued } from '../experiments.ts';
import { changeOf, type Losses, lossesOf, meanOfDomains } from '../statistics/losses.ts';
import type { PageOfStudy, Study } from '../study.ts';
import { differencesTable } from './ablation-section.ts';
import type { Findings } from './findings.ts';
import { comparison, gain, lossesByDomain, mainPicture } from './main-section.ts';
import { writtenDifference } from './markdown.ts';
import { factsOfRun, sizeOfTrainings } from './what-was-run.ts';

/** The page of a study beside the demo's, and its picture, by their paths below docs/. */
export function studyPage(
  { name, experiments }: Pick<Study, 'name' | 'experiments'>,
  { title, about, preparation }: PageOfStudy,
  findings: Findings,
): Map<string, string> {
  const { results, circumstances, compared } = findings;
  const losses = lossesOf(results);
  const names = experiments.map((experiment) => experiment.name);
  const others = names.filter((other) => !['before', continued, byDefault].includes(other));
  const sections = [
    `# ${title}`,
    `<!-- Written by \`${circumstances.command}\`. -->`,
    `[All results](../results.md) has what all studies have in common, and the demo's. ${about}`,
    `${sizeOfTrainings(results)} Held-out text was compared with ${compared}.`,
    `\`\`\`sh\n${[preparation ?? [], circumstances.command].flat().join('\n')}\n\`\`\``,
    factsOfRun(findings),
    '## Held-out loss',
    "Bits per byte: mean over the seeds, with the 95 % interval by Student's t.",
    lossesByDomain(losses, names),
    `![Bits per byte gained by training](${name}.svg)`,
    '## Default against continued training',
    comparison(losses, continued),
    gain(losses),
    ...afterPasses(losses, names),
    ...(others.length === 0 ? [] : differencesOf(losses, others)),
  ];
  return new Map([
    [`results/${name}.md`, `${sections.join('\n\n')}\n`],
    [`results/${name}.svg`, mainPicture(losses, names)],
  ]);
}

const differencesOf = (losses: Losses, names: readonly string[]): string[] => [
  '## The others',
  'Differences of the mean loss over the domains in bits per byte, paired by seed: below 0 is better.',
  differencesTable(losses, names),
];

/** What several passes over the text change, each way of training against the other after as many. */
function afterPasses(losses: Losses, names: readonly string[]): string[] {
  const own = names.find((name) => name.startsWith(`${byDefault}, `));
  const other = names.find((name) => name.startsWith(`${continued}, `));
  if (own === undefined || other === undefined) return [];
  const change = writtenDifference(changeOf(losses, own, other, meanOfDomains), 2);
  return [`"${own}" changes the loss of "${other}" by ${change} %.`];
}
