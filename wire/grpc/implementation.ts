import type { EventEmitter } from 'node:events';
import {
  create,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import { decoded, serviceDefinition } from './service-definition.ts';
import { toStatus } from './status.ts';

/** What a method knows about the call that it answers. */
export interface CallContext {
  /** Aborts when the caller goes away or cancels, when its deadline passes, and when the server has to leave. */
  readonly signal: AbortSignal;
}

type MethodImplementation<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : never;

/** One function for every method of a service: async for unary, async generator for server streaming. */
export type Implementation<S extends DescService> = {
  readonly [Name in keyof S['method']]: MethodImplementation<S['method'][Name]>;
};

/** A service with the functions that answer for it, in grpc-js's form. */
export interface ImplementedService {
  readonly service: DescService;
  readonly definition: ServiceDefinition;
  /**
   * @param log gets errors that are no FuseMeshErrors with their stack; the caller gets the message alone
   * @param cut when it aborts, calls in progress are answered with UNAVAILABLE
   */
  handlers(log: Log, cut: AbortSignal): UntypedServiceImplementation;
}

/** Binds functions to a service; an error that they throw becomes the gRPC status of its code. */
export function implement<S extends DescService>(
  service: S,
  implementation: Implementation<S>,
): ImplementedService {
  const functions = implementation as Readonly<Record<string, unknown>>;
  const handlers = (log: Log, cut: AbortSignal) =>
    Object.fromEntries(
      service.methods.map((method) => {
        const answer = functions[method.localName];
        const refusal = refusalOf(method, log);
        return [
          method.localName,
          method.methodKind === 'unary'
            ? unary(method, answer as UnaryFunction, refusal, cut)
            : serverStreaming(method, answer as StreamingFunction, refusal, cut),
        ];
      }),
    );
  return { service, definition: serviceDefinition(service), handlers };
}

/** What the caller gets for an error. An unexpected one is logged with its stack. */
const refusalOf =
  (method: DescMethod, log: Log) =>
  (error: unknown): ReturnType<typeof toStatus> => {
    if (!(error instanceof FuseMeshError)) {
      log.error({ method: `${method.parent.typeName}/${method.name}`, err: error }, `${method.name} failed`);
    }
    return toStatus(error);
  };

/** A call that the server is answering. */
interface CallInHand {
  /** Aborts when the caller goes away or cancels, when the deadline passes, and when the server has to leave. */
  readonly signal: AbortSignal;
  /** To be called when the call is answered. */
  over(): void;
}

/**
 * @param call of grpc-js, which reports both a caller that left and a missed deadline as `cancelled`
 * @param cut aborts when the server stops waiting for calls in progress
 * @param onCut called with the error to answer then
 */
function callInHand(
  call: EventEmitter & { readonly cancelled: boolean },
  cut: AbortSignal,
  onCut: (error: FuseMeshError) => void,
): CallInHand {
  const abort = new AbortController();
  call.on('cancelled', () => abort.abort());
  const leave = () => {
    onCut(new FuseMeshError('unavailable', 'The server left before the call was done: call again.'));
    abort.abort();
  };
  if (call.cancelled) abort.abort();
  if (cut.aborted) leave();
  else cut.addEventListener('abort', leave, { once: true });
  return { signal: abort.signal, over: () => cut.removeEventListener('abort', leave) };
}

type UnaryFunction = (
  request: Message,
  context: CallContext,
) => Promise<MessageInitShape<DescMethod['output']>>;
type StreamingFunction = (
  request: Message,
  context: CallContext,
) => AsyncIterable<MessageInitShape<DescMethod['output']>>;

const unary =
  (
    method: DescMethod,
    answer: UnaryFunction,
    refusal: ReturnType<typeof refusalOf>,
    cut: AbortSignal,
  ): handleUnaryCall<Message, Message> =>
  (call, callback) => {
    let answered = false;
    const reply: typeof callback = (error, response) => {
      if (answered) return;
      answered = true;
      over();
      callback(error, response);
    };
    const { signal, over } = callInHand(call, cut, (error) => setImmediate(reply, refusal(error)));
    // In a promise chain, so that an error thrown before the first await is caught as well.
    Promise.resolve()
      .then(() => answer(decoded(call.request), { signal }))
      .then(
        (response) => reply(null, create(method.output, response)),
        (error: unknown) => reply(refusal(error)),
      );
  };

const serverStreaming =
  (
    method: DescMethod,
    answer: StreamingFunction,
    refusal: ReturnType<typeof refusalOf>,
    cut: AbortSignal,
  ): handleServerStreamingCall<Message, Message> =>
  async (call) => {
    const { signal, over } = callInHand(call, cut, (error) => call.emit('error', refusal(error)));
    try {
      for await (const response of answer(decoded(call.request), { signal })) {
        if (signal.aborted) return;
        if (!call.write(create(method.output, response))) await drained(call, signal);
      }
      if (!signal.aborted) call.end();
    } catch (error) {
      if (!signal.aborted) call.emit('error', refusal(error));
    } finally {
      over();
    }
  };

/** Waits until a slow reader has room again, or is gone. */
const drained = (call: NodeJS.EventEmitter, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    signal.addEventListener('abort', done);
  });
