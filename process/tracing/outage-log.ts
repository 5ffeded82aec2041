import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../log/log.ts';

/** An exporter that logs once, in one line, that its spans cannot be delivered, and once that they can again. */
export class OutageLog implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #endpoint: string;
  readonly #log: Pick<Log, 'warn' | 'info'>;
  #lost = 0;
  #said = false;

  /** @param endpoint for messages */
  constructor(exporter: SpanExporter, endpoint: string, log: Pick<Log, 'warn' | 'info'>) {
    this.#exporter = exporter;
    this.#endpoint = endpoint;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) {
        this.#recover();
      } else {
        this.#lost += spans.length;
        this.giveUp(reasonOf(result.error));
      }
      done(result);
    });
  }

  /** Spans are lost. */
  giveUp(reason: string): void {
    if (this.#said) return;
    this.#said = true;
    this.#log.warn(`${this.#endpoint} takes no traces (${reason}): they are lost, the run goes on without`);
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #recover(): void {
    if (!this.#said) return;
    this.#log.info(`${this.#endpoint} takes traces again; spans lost: ${this.#lost}`);
    this.#said = false;
    this.#lost = 0;
  }
}

/** A refused connection to a name with several addresses has a code and no message, an answer its status. */
function reasonOf(error: (Error & { readonly code?: string | number }) | undefined): string {
  return [error?.code, error?.message].filter(Boolean).join(' ').replaceAll(/\s+/g, ' ') || 'no answer';
}
