import type { DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import type { ChannelOptions } from '@grpc/grpc-js';

/** The largest request that a server takes: a text and a few numbers. No caller can fill its memory. */
export const requestBytes = 8 << 20;

/** The largest answer that a server sends and a client takes: distributions of a long text are some megabytes. */
export const responseBytes = 64 << 20;

/** A machine that vanished is noticed within half a minute, even by streams that only wait. */
const keepalive = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
} as const;

export const serverOptions: ChannelOptions = {
  ...keepalive,
  'grpc.max_receive_message_length': requestBytes,
  'grpc.max_send_message_length': responseBytes,
  // Otherwise a second server on the port would not be refused but take a share of the calls.
  'grpc.so_reuseport': 0,
};

export const clientOptions = (service: DescService): ChannelOptions => ({
  ...keepalive,
  'grpc.max_receive_message_length': responseBytes,
  'grpc.max_send_message_length': requestBytes,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.service_config': serviceConfig(service),
  // DNS is not asked for another service config.
  'grpc.service_config_disable_resolution': 1,
  // The mesh talks to its own addresses; HTTP_PROXY is for the rest of the world.
  'grpc.enable_http_proxy': 0,
});

/** Four calls within two seconds: enough for a connection that broke, too few to hide a server that is gone. */
const retryPolicy = {
  maxAttempts: 4,
  initialBackoff: '0.2s',
  backoffMultiplier: 2,
  maxBackoff: '2s',
  retryableStatusCodes: ['UNAVAILABLE'],
};

/**
 * gRPC's service config of a client: unary methods that the protocol marks as free of side effects or idempotent
 * are called again when nobody answers.
 */
export function serviceConfig(service: DescService): string {
  const name = service.methods
    .filter(
      ({ methodKind, idempotency }) =>
        methodKind === 'unary' && idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
    )
    .map((method) => ({ service: service.typeName, method: method.name }));
  return JSON.stringify({ methodConfig: name.length === 0 ? [] : [{ name, retryPolicy }] });
}
