import { headers, type JsMsg, type MsgHdrs } from 'nats';

/** The header that W3C trace context names for it. */
const name = 'traceparent';

/** Headers of a message that belongs to a trace; others have none. */
export function traceHeaders(traceparent: string | undefined): MsgHdrs | undefined {
  if (traceparent === undefined) return undefined;
  const made = headers();
  made.set(name, traceparent);
  return made;
}

/** Where a message belongs in a trace; undefined where it belongs to none. */
export const traceparentOf = (message: JsMsg): string | undefined => message.headers?.get(name) || undefined;
