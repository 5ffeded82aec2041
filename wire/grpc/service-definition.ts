import { type DescMessage, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

const serializer =
  (schema: DescMessage) =>
  (message: Message): Buffer =>
    Buffer.from(toBinary(schema, message));

const deserializer =
  (schema: DescMessage) =>
  (bytes: Uint8Array): Message =>
    fromBinary(schema, bytes);

/** A request whose bytes are not a message of the method's type. */
class MalformedRequest {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** grpc-js would answer malformed bytes with INTERNAL and no reason: they pass through, to be refused by `decoded`. */
const requestDeserializer =
  (schema: DescMessage) =>
  (bytes: Uint8Array): Message | MalformedRequest => {
    try {
      return fromBinary(schema, bytes);
    } catch (error) {
      return new MalformedRequest(`The request is no ${schema.typeName}: ${(error as Error).message}.`);
    }
  };

/**
 * A request as it came to a server's handler.
 *
 * @throws FuseMeshError invalid_argument where its bytes are no message, or a string in it is not UTF-8
 */
export function decoded(request: unknown): Message {
  if (request instanceof MalformedRequest) throw new FuseMeshError('invalid_argument', request.reason);
  return request as Message;
}

/** Path of a method on the wire: /package.Service/Method. */
export const methodPath = (service: DescService, method: string): string => `/${service.typeName}/${method}`;

/** A protobuf-es service descriptor in grpc-js's form. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [
      method.localName,
      {
        path: methodPath(service, method.name),
        requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
        responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
        requestSerialize: serializer(method.input),
        requestDeserialize: requestDeserializer(method.input),
        responseSerialize: serializer(method.output),
        responseDeserialize: deserializer(method.output),
      },
    ]),
  );
}
