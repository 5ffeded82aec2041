import type { DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';

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
