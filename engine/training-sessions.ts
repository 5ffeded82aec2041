import type { Value } from '../model/graph/graph.ts';
import type { Half } from '../model/graph/tensor-type.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { dialectOf } from '../model/runtime/dialect.ts';
import { type BytesCrossed, openSession, type Session } from '../model/runtime/session.ts';
import type { EngineOptions } from './engine-options.ts';
import { type HeadGraph, headResults } from './graphs/head-graph.ts';
import { type GradientForm, resultsOf, type Segment } from './graphs/segment.ts';
import type { TrainingGraphs } from './graphs/training-graphs.ts';

/** The backward pass, with the gradients of tensors alone or added to their sums so far. */
export type BackwardSessions = Readonly<Record<GradientForm, Session>>;

/** Forward and backward pass of a part of a model, ready to run. */
export interface SegmentSessions {
  readonly segment: Segment;
  readonly forward: Session;
  /** Undefined where there is nothing to differentiate. */
  readonly backward: BackwardSessions | undefined;
}

/** The sessions of {@link TrainingGraphs}. */
export interface TrainingSessions {
  readonly embeddings: SegmentSessions;
  readonly kinds: readonly SegmentSessions[];
  readonly kindOfBlock: readonly number[];
  readonly head: {
    readonly graph: HeadGraph;
    /** Losses and gradients. */
    readonly train: BackwardSessions;
    /** Cross-entropies alone. */
    readonly score: Session;
  };
  /** Operators that the processor computes for a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  close(): Promise<void>;
}

export async function openTrainingSessions(
  { embeddings, kinds, kindOfBlock, head }: TrainingGraphs,
  { threads, execution }: Pick<EngineOptions, 'threads' | 'execution'>,
  crossed: BytesCrossed,
): Promise<TrainingSessions> {
  const { provider, device, activations, offload, precision } = execution;
  const dialect = dialectOf(execution);
  const opened: Session[] = [];
  const open = async (
    outputs: readonly Value[],
    {
      given = [],
      kept = [],
      factors = [],
    }: Partial<Record<'given' | 'kept', readonly Value[]>> & { readonly factors?: Iterable<string> } = {},
  ) => {
    // Under their own names the outputs are computed in the memory that they are given.
    const named = Object.fromEntries(outputs.map((value) => [value.name, value]));
    const narrow = new Map<string, Half>();
    if (activations === 'bfloat16')
      for (const name of ['hidden', ...kept.map(({ name }) => name)]) narrow.set(name, activations);
    if (precision !== 'float32') for (const name of factors) narrow.set(name, precision);
    const model = emitModel(named, { given, dialect, narrow });
    const session = await openSession(model, { threads, keepsMemory: false, provider, device, crossed });
    opened.push(session);
    return session;
  };
  const openSegment = async (segment: Segment, factors: Iterable<string> = []): Promise<SegmentSessions> => {
    const { output, saved } = segment;
    const kept = [output, ...saved];
    const forward = await open(kept, { kept, factors });
    if (resultsOf(segment, 'alone').length === 0) return { segment, forward, backward: undefined };
    const backward = (form: GradientForm) =>
      open(resultsOf(segment, form), { given: saved, kept: saved, factors });
    return { segment, forward, backward: { alone: await backward('alone'), added: await backward('added') } };
  };
  // The widest values are outputs too, so that they stay in our buffers from run to run: ONNX Runtime would
  // allocate each anew, and the system would clear it. From a GPU they would be copied for nothing.
  const wide = provider === 'cpu' ? head.wide.flat() : [];
  const trainHead = (form: GradientForm) => open([...headResults(head, form), ...wide]);
  const sessions = {
    embeddings: await openSegment(embeddings),
    kinds: await Promise.all(kinds.map((kind) => openSegment(kind, offload ? kind.factors : []))),
    kindOfBlock,
    head: {
      graph: head,
      train: { alone: await trainHead('alone'), added: await trainHead('added') },
      score: await open([head.causal]),
    },
  };
  return {
    ...sessions,
    onProcessor: new Set(opened.flatMap(({ onProcessor }) => [...onProcessor])),
    close: async () => {
      await Promise.all(opened.map((session) => session.close()));
    },
  };
}
