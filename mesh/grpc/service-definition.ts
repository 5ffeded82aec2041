import { type DescMessage, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';

const serializer =
  (schema: DescMessage) =>
  (message: Message): Buffer =>
    Buffer.from(toBinary(schema, message));

const deserializer =
  (schema: DescMessage) =>
  (bytes: Uint8Array): Message =>
    fromBinary(schema, bytes);

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
        requestDeserialize: deserializer(method.input),
        responseSerialize: serializer(method.output),
        responseDeserialize: deserializer(method.output),
      },
    ]),
  );
}
