/** Pieces on their way to one reader, who may be slower than what makes them. */
export class PieceQueue<Piece> {
  readonly #pieces: Piece[] = [];
  #wake: () => void = () => {};

  put(piece: Piece): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  /** All pieces, until `end` is done and nothing is left; what it fails with, the reader gets behind them. */
  async *until(end: Promise<void>): AsyncGenerator<Piece> {
    let isOver = false;
    const over = end.finally(() => {
      isOver = true;
      this.#wake();
    });
    // It is awaited below; until then a failure is none that nobody handles.
    over.catch(() => {});
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (isOver) break;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    await over;
  }
}
