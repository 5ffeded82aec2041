import type { ServerResponse } from 'node:http';

/** Server-sent events: one JSON object each, [DONE] at the end. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;

  /** @param signal aborts when the reader has gone */
  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Waits where a slow reader has no room. */
  async send(event: object): Promise<void> {
    if (!this.begun) {
      this.#response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-cache',
        // Proxies would keep the events back.
        'X-Accel-Buffering': 'no',
      });
    }
    if (this.#response.write(`data: ${JSON.stringify(event)}\n\n`) || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#response.off('drain', done);
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#signal.addEventListener('abort', done);
    });
  }

  end(): void {
    this.#response.end('data: [DONE]\n\n');
  }
}
