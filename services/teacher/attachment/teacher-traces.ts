import type { ScoredText } from '../../../model/scoring/scored-text.ts';
import { messagingAttributes } from '../../../process/tracing/messaging-attributes.ts';
import type { Span, Tracer } from '../../../process/tracing/tracer.ts';
import { distributionsSubject, runNames } from '../../../wire/nats/names.ts';
import type { DeliveredDocument } from '../../../wire/nats/run-streams.ts';

/** A document and what the teacher says about it. */
interface ScoredDocument {
  readonly delivered: DeliveredDocument;
  readonly scored: ScoredText;
}

/** A teacher's spans, under those of the documents that it scores; documents without a trace get none. */
export class TeacherTraces {
  readonly #tracer: Tracer;
  readonly #teacher: string;
  readonly #processing: ReturnType<typeof messagingAttributes>;
  readonly #sending: ReturnType<typeof messagingAttributes>;

  constructor(tracer: Tracer, { run, teacher }: { run: string; teacher: string }) {
    const names = runNames(run);
    this.#tracer = tracer;
    this.#teacher = teacher;
    this.#processing = messagingAttributes('process', names.documentsSubject);
    this.#sending = messagingAttributes('send', distributionsSubject(names, teacher));
  }

  /** A batch has been scored since `start` (as performance.now()), and each of its documents took all that time. */
  scored(batch: readonly ScoredDocument[], start: number): void {
    const end = performance.now();
    for (const { delivered, scored } of batch) {
      this.#start('score', delivered, {
        kind: 'consumer',
        start,
        attributes: {
          ...this.#processing,
          'fusemesh.teacher': this.#teacher,
          'fusemesh.tokens': scored.tokenIds.length,
          'fusemesh.batch_documents': batch.length,
        },
      })?.end(end);
    }
  }

  /** Begins the span of publishing what the teacher says about a document; the wait for room is part of it. */
  publishing(delivered: DeliveredDocument, bytes: Uint8Array): Span | undefined {
    return this.#start('publish', delivered, {
      kind: 'producer',
      attributes: {
        ...this.#sending,
        'messaging.message.body.size': bytes.length,
        'fusemesh.teacher': this.#teacher,
      },
    });
  }

  #start(
    name: string,
    delivered: DeliveredDocument,
    options: Parameters<Tracer['start']>[1],
  ): Span | undefined {
    const parent = delivered.traceparent();
    return parent === undefined ? undefined : this.#tracer.start(name, { ...options, parent });
  }
}
