import type { PromptCount } from '../../services/feeder/rollouts/count-prompts.ts';
import { whole } from './words.ts';

/** What the target of a run would be asked, in lines. @param names of the models whose tokens were counted */
export function promptCountText(counted: PromptCount, names: readonly string[]): string {
  const { files, prompts, documents, rollouts, skipped, tokens, longest, judges } = counted;
  const width = Math.max(...names.map((name) => name.length));
  const lines = [
    `${whole(prompts)} prompts in ${whole(files)} files; the target writes ${whole(rollouts)} of ${whole(documents)} documents`,
  ];
  if (skipped.count > 0) lines.push(skipped.sentence());
  for (const [judge, count] of judges) lines.push(`${whole(count)} are judged by ${judge} alone`);
  for (const [i, name] of names.entries()) {
    lines.push(`${name.padEnd(width)}  ${whole(tokens[i])} tokens, ${whole(longest[i])} the longest`);
  }
  return `${lines.join('\n')}\n`;
}
