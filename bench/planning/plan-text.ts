import { byteSize, duration, percent, rate, whole } from '../../cli/view/words.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Plan, PlannedSource } from './plan-run.ts';
import type { Cause } from './simulate.ts';

/** What the trainer does itself; all other causes are waits. */
const own: ReadonlySet<Cause> = new Set(['training', 'evaluation', 'checkpoint']);
/** Share of the time below which a wait is no bottleneck. */
const negligible = 0.05;

/** What would have to be faster for the run to be: what the trainer waits for most, or the trainer. */
export function bottleneckOf({ simulated: { causes, seconds }, sources }: Plan): string {
  const sorted = [...causes].sort(([, one], [, other]) => other - one);
  const waits = sorted.filter(([cause]) => !own.has(cause));
  const waited = waits.reduce((sum, [, part]) => sum + part, 0);
  if (waited < negligible * seconds) {
    const [cause, part] = sorted.find(([each]) => own.has(each))!;
    return `${nameOf(cause, sources)}, busy ${percent(part / seconds)} of the time`;
  }
  const [cause, part] = waits[0];
  return `${nameOf(cause, sources)}: the trainer waits for it ${percent(part / seconds)} of the time`;
}

function nameOf(cause: Cause, sources: readonly PlannedSource[]): string {
  switch (cause) {
    case 'training':
      return 'the trainer';
    case 'evaluation':
      return 'evaluations (trainer.evaluateEvery)';
    case 'checkpoint':
      return 'checkpoints (trainer.checkpointEvery)';
    case 'fusion':
      return "alignment and fusion on the trainer's processor";
    case 'nats':
      return 'NATS';
    case 'feeder':
      return 'the feeder';
    case 'room':
      return 'room in the streams (nats.maxDocuments)';
    default:
      return `teacher ${sources[Number(cause.slice('source '.length))].name}`;
  }
}

/** A plan for people. */
export function planText(config: RunConfig, plan: Plan, notes: readonly string[]): string {
  const { simulated, sources, documents, steps, targetTokens, trainerTokensPerSecond, memory } = plan;
  const { seconds, causes, scoringShares, natsShare } = simulated;
  const rows = [
    ['', 'parameters', 'replicas', 'tokens/s each', 'busy', 'enough'],
    ...sources.map(({ name, parameters, replicas, tokensPerSecond, enough }, s) => [
      name,
      parameters === undefined ? '' : count(parameters),
      String(replicas),
      whole(tokensPerSecond),
      percent(scoringShares[s]),
      String(enough),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  '),
  );
  const parts = [...causes]
    .sort(([, a], [, b]) => b - a)
    .filter(([, part]) => part / seconds >= 0.005)
    .map(([cause, part]) => `${nameOf(cause, sources)} ${percent(part / seconds)}`);
  const bytesPerToken = sources.reduce((sum, source) => sum + source.bytesPerToken, 0);
  const where = memory.device
    ? `${byteSize(memory.device.total)} on the device, ${byteSize(memory.host.total)} of its machine`
    : byteSize(memory.host.total);
  return [
    `Run ${config.run}: ${whole(documents)} documents, ${count(targetTokens)} tokens of the target in ${whole(steps)} steps`,
    '',
    ...table,
    `trainer alone ${rate(trainerTokensPerSecond)}`,
    '',
    `Wall time    ${duration(seconds)}, ${rate(targetTokens / seconds)}`,
    `Bottleneck   ${bottleneckOf(plan)}`,
    `Time         ${parts.join(', ')}`,
    `NATS         ${Math.round(bytesPerToken)} bytes a token over all sources, ${byteSize(plan.bytes)} in all, ` +
      `${byteSize(plan.bytes / seconds)}/s, busy ${percent(natsShare)}`,
    `Memory       trainer ${where}`,
    `Disk         NATS up to ${byteSize(plan.natsDisk)} on each of ${config.nats.replicas}, checkpoints and model ${byteSize(plan.checkpointsDisk)}`,
    ...notes.map((note) => `Note         ${note}`),
  ].join('\n');
}

/** 7_000_000_000 → "7.0 G". */
function count(value: number): string {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return power === 0 ? whole(value) : `${(value / 1000 ** power).toFixed(1)} ${['', 'k', 'M', 'G'][power]}`;
}
