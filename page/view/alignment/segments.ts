import type { GetAlignmentResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';

/** A token and its text; empty for a special token, as at the beginning of a sequence. */
export interface Piece {
  /** Of the token, in its sequence. */
  readonly index: number;
  /** An ellipsis where an earlier token shows all of it: both are bytes of one character. */
  readonly text: string;
}

/** A part of a text at whose ends both tokenizers have a boundary. */
export interface Segment {
  readonly target: readonly Piece[];
  readonly source: readonly Piece[];
}

/** Cuts a text at the boundaries that both tokenizations share, as the trainer found them. */
export function segmentsOf({ text, target, source }: GetAlignmentResponse): Segment[] {
  const targetPieces = piecesOf(
    text,
    target.map(({ span }) => span),
  );
  const sourcePieces = piecesOf(text, source);
  const segments: Segment[] = [];
  let [fromTarget, fromSource] = [0, 0];
  const close = (toTarget: number, toSource: number) => {
    if (toTarget === fromTarget && toSource === fromSource) return;
    segments.push({
      target: targetPieces.slice(fromTarget, toTarget),
      source: sourcePieces.slice(fromSource, toSource),
    });
    [fromTarget, fromSource] = [toTarget, toSource];
  };
  target.forEach(({ sourceToken }, i) => {
    if (sourceToken !== undefined) close(i + 1, Math.max(fromSource, sourceToken + 1));
  });
  close(target.length, source.length);
  return segments;
}

function piecesOf(
  text: string,
  spans: readonly ({ readonly begin: number; readonly end: number } | undefined)[],
): Piece[] {
  let reached = 0;
  return spans.map((span, index) => {
    const { begin = 0, end = 0 } = span ?? {};
    const rest = end > begin && end <= reached;
    const piece = { index, text: rest ? '…' : text.slice(Math.max(begin, reached), end) };
    reached = Math.max(reached, end);
    return piece;
  });
}

const shown: Readonly<Record<string, string>> = { ' ': '·', '\n': '⏎', '\t': '⇥', '\r': '␍' };

/** A text with its blanks made visible. */
export const visible = (text: string): string =>
  text === '' ? '∅' : Array.from(text, (character) => shown[character] ?? character).join('');
