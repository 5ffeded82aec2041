import type { Value } from '../../model/graph/graph.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession, type Session } from '../../model/runtime/session.ts';
import type { EngineOptions } from './engine-options.ts';
import type { HeadGraph } from './graphs/head-graph.ts';
import { type Segment, segmentResults } from './graphs/segment.ts';
import type { TrainingGraphs } from './graphs/training-graphs.ts';

/** A part of a model, ready to run there and back. */
export interface SegmentSessions {
  readonly segment: Segment;
  readonly forward: Session;
  /** Undefined where there is nothing to be differentiated. */
  readonly backward: Session | undefined;
}

/** The sessions of {@link TrainingGraphs}. */
export interface TrainingSessions {
  readonly embeddings: SegmentSessions;
  readonly kinds: readonly SegmentSessions[];
  readonly kindOfBlock: readonly number[];
  readonly head: {
    readonly graph: HeadGraph;
    /** Losses and gradients. */
    readonly train: Session;
    /** Cross-entropies alone. */
    readonly score: Session;
  };
  close(): Promise<void>;
}

export async function openTrainingSessions(
  { embeddings, kinds, kindOfBlock, head }: TrainingGraphs,
  { threads, execution: { provider, precision } }: Pick<EngineOptions, 'threads' | 'execution'>,
): Promise<TrainingSessions> {
  const dialect = precision === 'float32' ? 'onnxruntime' : precision;
  const opened: Session[] = [];
  const open = async (outputs: Iterable<Value>, given: readonly Value[] = []) => {
    // Under their own names the outputs are computed in the buffers that they are given.
    const named = Object.fromEntries([...outputs].map((value) => [value.name, value]));
    const session = await openSession(emitModel(named, { given, dialect }), {
      threads,
      keepsMemory: false,
      provider,
    });
    opened.push(session);
    return session;
  };
  const openSegment = async (segment: Segment): Promise<SegmentSessions> => {
    const { output, saved } = segment;
    const results = segmentResults(segment);
    return {
      segment,
      forward: await open([output, ...saved]),
      backward: results.length === 0 ? undefined : await open(results, saved),
    };
  };
  const { causal, fusion, inputCotangent, sums } = head;
  return {
    embeddings: await openSegment(embeddings),
    kinds: await Promise.all(kinds.map(openSegment)),
    kindOfBlock,
    head: {
      graph: head,
      train: await open([causal, fusion, inputCotangent, ...sums.values()]),
      score: await open([causal]),
    },
    close: async () => {
      await Promise.all(opened.map((session) => session.close()));
    },
  };
}
