import { headers, type JsMsg, type MsgHdrs } from 'nats';

/** The header of W3C trace context. */
const name = 'traceparent';

/** Headers of a message that belongs to a trace; undefined for others. */
export function traceHeaders(traceparent: string | undefined): MsgHdrs | undefined {
  if (traceparent === undefined) return undefined;
  const made = headers();
  made.set(name, traceparent);
  return made;
}

/** A message's place in a trace; undefined where it belongs to none. */
export const traceparentOf = (message: JsMsg): string | undefined => message.headers?.get(name) || undefined;
