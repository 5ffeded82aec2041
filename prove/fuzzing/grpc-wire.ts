import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';

/** What a server answered to one call. */
export interface WireAnswer {
  /** The gRPC status; undefined where the call was ended after its first message or was cut off. */
  readonly status: number | undefined;
  readonly statusText: string;
  /** The first message, if any came. */
  readonly message: Buffer | undefined;
}

const answerWithin = 30_000;
const quietAfter = 500;
const prefixBytes = 5;

/** gRPC written by hand, so that a message may be any bytes and the frame around it may lie. */
export class GrpcWire {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  /** @param address HOST:PORT */
  constructor(address: string) {
    this.#address = address;
  }

  /**
   * Sends one frame and waits for the end of the call, or for its first message.
   *
   * @param mayWait whether the call may rightly stay without an answer; it is then ended soon
   * @throws Error when there is no answer in half a minute: the server hangs
   */
  async call(path: string, frame: Uint8Array, { mayWait = false } = {}): Promise<WireAnswer> {
    const session = await this.#open();
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status: number | undefined;
    let statusText = '';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          stream.close(constants.NGHTTP2_CANCEL);
          if (!mayWait)
            reject(
              new Error(
                `${path} has not answered ${frame.length} bytes: ${Buffer.from(frame).toString('hex')}`,
              ),
            );
        },
        mayWait ? quietAfter : answerWithin,
      );
      const finish = () => {
        clearTimeout(timer);
        const all = Buffer.concat(chunks);
        const message = all.length >= prefixBytes ? all.subarray(prefixBytes) : undefined;
        resolve({ status, statusText, message });
      };
      const read = (headers: NodeJS.Dict<string | string[]>) => {
        if (headers['grpc-status'] === undefined) return;
        status = Number(headers['grpc-status']);
        statusText = decodeURIComponent(String(headers['grpc-message'] ?? ''));
      };
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        const whole = Buffer.concat(chunks, bytes);
        if (bytes >= prefixBytes && bytes >= prefixBytes + whole.readUInt32BE(1)) {
          // A unary call's status follows at once; of a stream one message is enough.
          setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 50);
        }
      });
      stream.on('close', finish);
      stream.on('error', () => {});
      stream.end(frame);
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  async #open(): Promise<ClientHttp2Session> {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(`http://${this.#address}`);
      this.#session.on('error', () => {});
      await once(this.#session, 'connect');
    }
    return this.#session;
  }
}

/** A message in gRPC's frame: no compression, four bytes of length. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(prefixBytes + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}
