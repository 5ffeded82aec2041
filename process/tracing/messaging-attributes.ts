import type { Attributes } from './tracer.ts';

/**
 * OpenTelemetry's semantic conventions for spans of messages.
 *
 * @param subject of NATS; with a wildcard for several
 */
export function messagingAttributes(operation: 'send' | 'receive' | 'process', subject: string): Attributes {
  return {
    'messaging.system': 'nats',
    'messaging.destination.name': subject,
    'messaging.operation.name': operation === 'send' ? 'publish' : operation,
    'messaging.operation.type': operation,
  };
}
