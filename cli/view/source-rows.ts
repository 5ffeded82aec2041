import type { GetStatusResponse, SourceStatus } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { Paint } from './paint.ts';
import { percent, rate, whole } from './words.ts';

const full = 'waits for the trainer';

/** A row for each teacher: its name and how it does. */
export function sourceRows(
  { sources, lastStep, stepsTotal }: GetStatusResponse,
  paint: Paint,
): [string, string][] {
  const documents = sources.reduce((sum, { documentsChosen }) => sum + documentsChosen, 0n);
  const isDone = lastStep !== undefined && lastStep.step === stepsTotal;
  const absent = isDone ? 'is done' : paint.yellow('is not attached');
  return sources.map((source) => [
    source.teacher,
    source.attached ? sourceText(source, Number(documents), paint) : absent,
  ]);
}

/** @param documents in which any source was chosen to teach */
function sourceText(source: SourceStatus, documents: number, paint: Paint): string {
  const pace = source.waitingForRoom
    ? paint.yellow(full)
    : rate(source.tokensPerSecond).padStart(full.length);
  const replicas = source.replicas > 1 ? [`${source.replicas} replicas`] : [];
  const parts = [
    ...replicas,
    `${whole(source.documentsScored)} scored`,
    `${whole(source.queueDepth)} queued`,
  ];
  if (source.documentsMissing > 0) parts.push(`owes ${whole(source.documentsMissing)}`);
  if (source.documentsWithout > 0n) parts.push(`missed ${whole(source.documentsWithout)}`);
  parts.push(`lag ${whole(source.lagDocuments)}`);
  if (documents > 0) parts.push(`chosen ${percent(Number(source.documentsChosen) / documents)}`);
  return `${pace}  ${parts.join(', ')}`;
}
