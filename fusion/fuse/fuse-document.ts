import { evidenceWeights, meanOfPositions, type PredictedColumns } from './evidence-weights.ts';
import type { FusionSettings } from './fusion-settings.ts';
import type { MassCount, ReadRow } from './source-row.ts';
import { sourceWeights, type WeighedSource } from './source-weights.ts';
import { addRow, emptyRow, massOf, type SparseRow, scale } from './sparse-row.ts';

/** Where fused distributions go: columns with K candidates a row. */
export interface FusedColumns {
  /** K. */
  readonly candidates: number;
  /** [rows × K] ids in the target's vocabulary; 0 where the probability is 0. */
  readonly fusedIds: Int32Array;
  /** [rows × K] probabilities; a row of zeros where there is none (masked position). */
  readonly fusedProbabilities: Float32Array;
  /** [rows] tail mass: the target itself spreads it over all other tokens. */
  readonly fusedTail: Float32Array;
}

/** How the fusion of a document, or of many, went. */
export interface FusionCount {
  /** Positions with a label. */
  positions: number;
  /** How many of them have a fused distribution. */
  aligned: number;
  /** Tokens of the target that do not spell the text at their place. */
  doubtful: number;
  readonly mass: MassCount;
  /** [sources] positions that each source taught, shared where several did. */
  readonly taught: Float64Array;
}

export const emptyCount = (sources: number): FusionCount => ({
  positions: 0,
  aligned: 0,
  doubtful: 0,
  mass: { exact: 0, byRule: 0, dropped: 0 },
  taught: new Float64Array(sources),
});

/** A source's text beside the target's. */
export interface AlignedSource {
  /** [n] the source's row for each position of the target, or −1. */
  readonly rows: Int32Array;
  readonly read: ReadRow;
}

/** A text under the target's tokenizer. */
export interface TargetText {
  /** [n] */
  readonly ids: Int32Array;
  /** [n] 1 where the token is learnt; left out, all are. */
  readonly learnt?: Uint8Array | undefined;
}

/** What one source says about one text. */
export interface FusableSource {
  readonly distribution: WeighedSource & PredictedColumns;
  /** Takes time, so it is called only for sources that teach the text. */
  align(): AlignedSource;
}

/**
 * Fuses what the sources say about one text into distributions over the target's tokens.
 *
 * @param target row t is of the token after token t
 * @param sources in the order of the count's; undefined for one that the document was joined without
 * @param begin row of the columns for t = 0
 * @param count added to
 * @returns [sources] how much each counted in the text; by evidence, in the mean over its positions
 */
export function fuseDocument(
  { ids, learnt }: TargetText,
  sources: readonly (FusableSource | undefined)[],
  settings: FusionSettings,
  columns: FusedColumns,
  begin: number,
  count: FusionCount,
): Float64Array {
  const weights = sourceWeights(
    sources.map((source) => source?.distribution),
    settings,
  );
  const aligned = sources.map((source, s) => {
    if (source === undefined) return undefined;
    const { distribution, align } = source;
    const speaks = weights[s] > 0 || distribution.teacher === settings.standIn;
    return speaks ? { distribution, ...align() } : undefined;
  });
  const evidence =
    settings.combine === 'evidence' ? evidenceWeights(aligned, ids.length, settings) : undefined;
  const standIn = aligned.find((source) => source && source.distribution.teacher === settings.standIn);
  const single = emptyRow(columns.candidates);
  const fused = emptyRow(columns.candidates);
  // No token follows the last one: nothing is learnt there.
  for (let position = 0; position + 1 < ids.length; position++) {
    if (learnt?.[position + 1] === 0) continue;
    count.positions++;
    fused.count = 0;
    let total = 0;
    for (let s = 0; s < sources.length; s++) {
      const weight = evidence === undefined ? weights[s] : evidence[position * sources.length + s];
      if (weight === 0) continue;
      aligned[s]!.read(position, ids[position + 1], single, count.mass);
      // FuseLLM takes the target's frozen copy where a source has nothing left to say.
      if (single.count === 0 && standIn !== undefined) {
        standIn.read(position, ids[position + 1], single, count.mass);
      }
      if (single.count === 0) continue;
      const held = massOf(single);
      // Rounding may have brought a source's sum a little above 1.
      if (settings.truncated === 'renormalise' || held > 1) scale(single, 1 / held);
      addRow(fused, single, weight);
      count.taught[s] += weight;
      total += weight;
    }
    if (total === 0) {
      if (settings.unaligned === 'text') writeText(ids[position + 1], columns, begin + position);
      continue;
    }
    // Sources that say nothing here leave their weight to the others.
    scale(fused, 1 / total);
    write(fused, settings.truncated === 'tail', columns, begin + position);
    count.aligned++;
  }
  return evidence === undefined ? weights : meanOfPositions(evidence, sources.length);
}

function writeText(
  id: number,
  { candidates, fusedIds, fusedProbabilities }: FusedColumns,
  into: number,
): void {
  fusedIds[into * candidates] = id;
  fusedProbabilities[into * candidates] = 1;
}

function write(row: SparseRow, keepsTail: boolean, columns: FusedColumns, into: number): void {
  const { candidates, fusedIds, fusedProbabilities, fusedTail } = columns;
  for (let i = 0; i < row.count; i++) {
    fusedIds[into * candidates + i] = row.ids[i];
    fusedProbabilities[into * candidates + i] = row.probabilities[i];
  }
  if (keepsTail) fusedTail[into] = Math.max(0, 1 - massOf(row));
}
