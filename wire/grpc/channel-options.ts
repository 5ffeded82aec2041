import type { DescService } from '@bufbuild/protobuf';
import type { ChannelOptions } from '@grpc/grpc-js';
import { requestBytes, responseBytes } from './message-limits.ts';
import { serviceConfig } from './service-config.ts';

/** A machine that vanished is noticed within half a minute, by streams that only wait too. */
const keepalive = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
} as const;

export const serverOptions: ChannelOptions = {
  ...keepalive,
  'grpc.max_receive_message_length': requestBytes,
  'grpc.max_send_message_length': responseBytes,
  // A second server on the port would share its calls instead of being refused.
  'grpc.so_reuseport': 0,
};

export const clientOptions = (service: DescService): ChannelOptions => ({
  ...keepalive,
  'grpc.max_receive_message_length': responseBytes,
  'grpc.max_send_message_length': requestBytes,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.service_config': serviceConfig(service),
  // Ours is the only one: DNS is not asked for another.
  'grpc.service_config_disable_resolution': 1,
  // The mesh talks to its own addresses; HTTP_PROXY is for the rest of the world.
  'grpc.enable_http_proxy': 0,
});
