import colors from 'picocolors';
import type { RunConfig } from '../../process/config/schema.ts';
import { fusedModelDirectory } from '../../trainer/fused-model.ts';
import type { GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { heldOutText, rolloutTotals } from './status-text.ts';
import { losses, percent, whole } from './words.ts';

/** What is stored of a run that is over. */
export function finishedText(
  config: RunConfig,
  { run, lastStep, sources, heldOut, rollouts, skippedSteps }: GetStatusResponse,
  paint: Pick<typeof colors, 'bold'> = colors,
): string {
  const row = (name: string, text: string) => `  ${name.padEnd('held-out'.length)}  ${text}`;
  const { step, documents, tokens, loss } = lastStep!;
  const lines = [
    `${paint.bold(`run ${run}`)}  finished`,
    row('trained', `${whole(step)} steps, ${whole(documents)} documents, ${whole(tokens)} tokens`),
  ];
  if (!Number.isNaN(loss)) lines.push(row('loss', losses(lastStep!)));
  if (heldOut) lines.push(row('held-out', heldOutText(heldOut)));
  if (rollouts) lines.push(row('rollouts', rolloutTotals(rollouts)));
  const all = sources.reduce((sum, { documentsChosen }) => sum + documentsChosen, 0n);
  const shares = sources.map(
    ({ teacher, documentsChosen }) => `${teacher} ${percent(Number(documentsChosen) / Number(all))}`,
  );
  if (all > 0n) lines.push(row('taught', `${shares.join(', ')} of the documents`));
  if (skippedSteps > 0n) lines.push(row('skipped', `${whole(skippedSteps)} steps`));
  lines.push(row('model', fusedModelDirectory(config)));
  return lines.join('\n');
}
