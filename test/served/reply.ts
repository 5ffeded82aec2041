/** An answer of HTTP. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** A request as the protocols see it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** Of the header "authorization", without its scheme. */
  readonly bearer: string | undefined;
  /** Its JSON; undefined where it has none. */
  readonly body: unknown;
}

export const jsonReply = (status: number, body: string): Reply => ({
  status,
  type: 'application/json',
  body: Buffer.from(body),
});

export const emptyReply = (status: number): Reply => ({ status, type: 'text/plain', body: Buffer.alloc(0) });
