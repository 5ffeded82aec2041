import koffi from 'koffi';
import { library } from './library.ts';
import type { Placement } from './placement.ts';

/** The session option that makes ONNX Runtime remember what {@link operatorsOnProcessor} asks for. */
export const remembersAssignment = 'session.record_ep_graph_assignment_info';

/**
 * The operators of a session that the processor computes, by their names in ONNX.
 *
 * @param session address of an OrtSession that was opened with {@link remembersAssignment}
 */
export function operatorsOnProcessor(session: bigint): ReadonlySet<string> {
  const { api } = library();
  const parts = listOf(api.Session_GetEpGraphAssignmentInfo, session);
  const onProcessor = parts.filter(
    (part) => textOf(api.EpAssignedSubgraph_GetEpName, part) === 'CPUExecutionProvider',
  );
  const nodes = onProcessor.flatMap((part) => listOf(api.EpAssignedSubgraph_GetNodes, part));
  return new Set(nodes.map((node) => textOf(api.EpAssignedNode_GetOperatorType, node)));
}

/** A line for the log; undefined where there is nothing to say. */
export function onProcessorInWords(
  { provider }: Pick<Placement, 'provider'>,
  operators: Iterable<string>,
): string | undefined {
  const names = [...operators].sort();
  if (names.length === 0) return undefined;
  return `With execution: ${provider}, the processor computes ${names.join(', ')}: of shapes and positions, or because they have no kernel there`;
}

/** What a function writes to an array of pointers and to its length. */
function listOf(
  read: (of: bigint, list: BigUint64Array, count: BigUint64Array) => void,
  of: bigint,
): bigint[] {
  const [list, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  read(of, list, count);
  return count[0] === 0n ? [] : koffi.decode(list[0], 'void *', Number(count[0]));
}

function textOf(read: (of: bigint, text: BigUint64Array) => void, of: bigint): string {
  const text = new BigUint64Array(1);
  read(of, text);
  return koffi.decode.string(text[0]);
}
