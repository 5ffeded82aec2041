import { setMaxListeners } from 'node:events';
import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import type { AnswerRequest, Call } from './answers.ts';

/** A piece of one of the answers that a request wants. */
export interface ChoicePiece {
  readonly index: number;
  readonly piece: GeneratedPiece;
}

/**
 * Writes several answers side by side, and gives their pieces as they come. Where one fails, all end.
 *
 * @param abort aborted when the caller has gone, and by this where an answer fails
 */
export async function* writeChoices(
  call: Call,
  requests: readonly AnswerRequest[],
  abort: AbortController,
): AsyncGenerator<ChoicePiece> {
  // Every answer listens to it.
  setMaxListeners(0, abort.signal);
  const streams = requests.map((request) => call.write(request, abort.signal));
  const next = (index: number) => streams[index].next().then((result) => ({ index, result }));
  const pending = new Map(streams.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        continue;
      }
      pending.set(index, next(index));
      yield { index, piece: result.value };
    }
  } finally {
    if (pending.size > 0) abort.abort();
    await Promise.allSettled([...pending.values()]);
    await Promise.allSettled(streams.map((stream) => stream.return(undefined)));
  }
}
