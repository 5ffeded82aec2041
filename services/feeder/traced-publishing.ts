import { messagingAttributes } from '../../process/tracing/messaging-attributes.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { runNames } from '../../wire/nats/names.ts';
import type { Numbering, RunStreams } from '../../wire/nats/run-streams.ts';

/** How one document after another is published; false where the one before it is not in the stream. */
export type PublishDocument = (
  document: Document,
  options: { readonly signal: AbortSignal; readonly numbering: Numbering },
) => Promise<boolean>;

/** Publishes documents; with a tracer each begins a trace, which goes with it to all that is done for it. */
export function tracedPublishing(
  streams: Pick<RunStreams, 'publishDocument'>,
  run: string,
  tracer: Tracer | undefined,
): PublishDocument {
  if (tracer === undefined) return (document, options) => streams.publishDocument(document, options);
  const sending = messagingAttributes('send', runNames(run).documentsSubject);
  return async (document, options) => {
    const { number, domain } = document;
    const attributes = {
      'fusemesh.run': run,
      'fusemesh.document': Number(number),
      'fusemesh.domain': domain,
    };
    const whole = tracer.start('document', { attributes });
    const { traceparent } = whole;
    const publishing = tracer.start('publish', {
      parent: traceparent,
      kind: 'producer',
      attributes: sending,
    });
    try {
      const published = await streams.publishDocument(document, { ...options, traceparent });
      publishing.end();
      whole.end();
      return published;
    } catch (error) {
      publishing.fail(error);
      whole.fail(error);
      throw error;
    }
  };
}
