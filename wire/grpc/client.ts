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
import { Client as GrpcClient, type ServiceError } from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { openSecurity, type SecuritySettings } from '../../process/security/service-security.ts';
import { clientOptions } from './channel-options.ts';
import { channelCredentials, sendToken } from './credentials.ts';
import { serviceDefinition } from './service-definition.ts';
import { fromStatus } from './status.ts';

export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the call fails as unavailable. */
  readonly timeoutMs?: number;
}

type ClientMethod<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;

/** A method for every method of the service. A failed call throws a FuseMeshError with the status as code. */
export type Client<S extends DescService> = {
  readonly [Name in keyof S['method']]: ClientMethod<S['method'][Name]>;
} & { close(): void };

/**
 * A client of a service, typed by its descriptor. It connects at the first call, and again when cut off.
 *
 * @param security that of the run file; left out, calls are plain text
 * @throws FuseMeshError invalid_argument when a file that it names cannot be read, failed_precondition when the
 *   token would go through a network in plain text
 */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  security: SecuritySettings = openSecurity,
): Client<S> {
  const grpc = new GrpcClient(address, channelCredentials(security), {
    ...clientOptions(service),
    interceptors: sendToken(address, security),
  });
  const definition = serviceDefinition(service);
  const methods = service.methods.map((method) => {
    const { path, requestSerialize, responseDeserialize } = definition[method.localName];

    const unary = (request: MessageInitShape<DescMethod['input']>, options: CallOptions = {}) =>
      new Promise<Message>((resolve, reject) => {
        const call = grpc.makeUnaryRequest<Message, Message>(
          path,
          requestSerialize,
          responseDeserialize,
          create(method.input, request),
          deadline(options),
          (error, response) => {
            release();
            if (error) reject(failure(error, address, options));
            else resolve(response!);
          },
        );
        const release = cancelOn(options.signal, () => call.cancel());
      });

    async function* serverStreaming(
      request: MessageInitShape<DescMethod['input']>,
      options: CallOptions = {},
    ): AsyncGenerator<Message> {
      const call = grpc.makeServerStreamRequest<Message, Message>(
        path,
        requestSerialize,
        responseDeserialize,
        create(method.input, request),
        deadline(options),
      );
      const release = cancelOn(options.signal, () => call.cancel());
      try {
        for await (const response of call) yield response as Message;
      } catch (error) {
        throw failure(error as ServiceError, address, options);
      } finally {
        release();
        call.cancel();
      }
    }

    return [method.localName, method.methodKind === 'unary' ? unary : serverStreaming];
  });
  return { ...Object.fromEntries(methods), close: () => grpc.close() } as Client<S>;
}

const deadline = ({ timeoutMs }: CallOptions) =>
  timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };

const failure = (error: ServiceError, address: string, { signal }: CallOptions): FuseMeshError =>
  signal?.aborted
    ? new FuseMeshError('cancelled', `The call to ${address} was cancelled`, { cause: error })
    : fromStatus(error, address);

/** Calls `cancel` when the signal aborts; returns what takes the listener off again. */
function cancelOn(signal: AbortSignal | undefined, cancel: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
