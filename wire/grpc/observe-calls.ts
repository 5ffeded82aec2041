import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { ImplementedService } from './implementation.ts';
import { methodPath } from './service-definition.ts';

/** A call that a server has answered. */
export interface HandledCall {
  /** Full name: "fusemesh.v1.TeacherService". */
  readonly service: string;
  readonly method: string;
  /** Name of the gRPC status: "OK", "INVALID_ARGUMENT", …; "CANCELLED" where the caller left. */
  readonly code: string;
  /** From the arrival of the call to its end. */
  readonly seconds: number;
}

/** Reports every call of these services once, when it has ended. */
export function observeCalls(
  services: readonly ImplementedService[],
  onHandled: (call: HandledCall) => void,
): ServerInterceptor {
  const methods = new Map(
    services.flatMap(({ service }) =>
      service.methods.map(({ name }) => [
        methodPath(service, name),
        { service: service.typeName, method: name },
      ]),
    ),
  );
  return ({ path }, call) => {
    const method = methods.get(path);
    if (method === undefined) return new ServerInterceptingCall(call);
    const began = performance.now();
    let over = false;
    const end = (code: status) => {
      if (over) return;
      over = true;
      onHandled({ ...method, code: status[code], seconds: (performance.now() - began) / 1000 });
    };
    // grpc-js itself ends a call that misses its deadline, which looks like a caller that left.
    const isLate = () => Number(call.getDeadline()) <= Date.now();
    const listener = { onCancel: () => end(isLate() ? status.DEADLINE_EXCEEDED : status.CANCELLED) };
    return new ServerInterceptingCall(call, {
      start: (next) => next(listener),
      sendStatus: (sent, next) => {
        end(sent.code ?? status.OK);
        next(sent);
      },
    });
  };
}
