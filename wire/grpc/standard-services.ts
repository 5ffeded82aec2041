import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type Server, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Readiness } from '../../process/lifecycle/readiness.ts';

/**
 * Adds gRPC's health checking protocol. Every service, and the empty name that stands for the whole server, is
 * SERVING exactly as long as the process is ready.
 *
 * @returns a function that reports NOT_SERVING from then on, whatever becomes ready
 */
export function addHealth(server: Server, names: readonly string[], readiness: Readiness): () => void {
  const health = new HealthImplementation();
  let told: boolean | undefined;
  const tell = (serving: boolean) => {
    if (serving === told) return;
    told = serving;
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  const unfollow = readiness.follow(() => tell(readiness.ready));
  health.addToServer(server);
  return () => {
    unfollow();
    tell(false);
  };
}

/** Adds gRPC server reflection (v1 and v1alpha) for the services. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  const collect = (file: DescFile) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
    file.dependencies.forEach(collect);
  };
  for (const { file } of services) collect(file);
  // ReflectionService reads nothing but the files of a definition.
  const descriptors = {
    format: 'Protocol Buffer 3 EnumDescriptorProto' as const,
    type: {},
    fileDescriptorProtos: [...files.values()],
  };
  new ReflectionService({ fusemesh: descriptors }).addToServer(server);
}

/** Streams of the standard services, which end only when the caller leaves: health watches and reflection. */
export interface StandingStreams {
  readonly interceptor: ServerInterceptor;
  /** Ends them, so that a stopping server waits for none. */
  end(): void;
}

/** @param isOwn whether a path belongs to our own services, whose calls are left to finish */
export function standingStreams(isOwn: (path: string) => boolean): StandingStreams {
  const standing = new Set<ServerInterceptingCall>();
  return {
    interceptor: ({ path, responseStream }, call) => {
      if (isOwn(path) || !responseStream) return new ServerInterceptingCall(call);
      const intercepted = new ServerInterceptingCall(call, {
        start: (next) => {
          standing.add(intercepted);
          // grpc-js calls this at the end of every call.
          next({ onCancel: () => standing.delete(intercepted) });
        },
      });
      return intercepted;
    },
    end: () => {
      for (const call of standing) {
        call.sendStatus({ code: status.UNAVAILABLE, details: 'The server is stopping.' });
      }
    },
  };
}
