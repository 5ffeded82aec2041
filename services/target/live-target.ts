import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import type { ProcessMetrics } from '../../process/metrics/process-metrics.ts';
import { advertisedAddress, portOf, withPort } from '../../wire/discovery/advertised-address.ts';
import { describeTarget } from '../../wire/discovery/target-listing.ts';
import { TargetService } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { GRPCInferenceService } from '../../wire/generated/inference/grpc_predict_v2_pb.ts';
import { implement } from '../../wire/grpc/implementation.ts';
import { drainWithin, type GrpcServer, serve } from '../../wire/grpc/serve.ts';
import type { LateConnection } from '../../wire/nats/late-connection.ts';
import { inferenceService } from '../inference/inference-service.ts';
import { keepRegistered } from '../registration/keep-registered.ts';
import { Answers } from './answers/answers.ts';
import type { OpenAiFront } from './openai/front.ts';
import { targetInference } from './service/target-inference.ts';
import { targetService } from './service/target-service.ts';
import { TargetModel } from './target-model.ts';
import type { TargetSettings } from './target-settings.ts';

/** The process around a {@link LiveTarget}. */
export interface TargetProcess {
  readonly config: RunConfig;
  readonly settings: TargetSettings;
  readonly register: Registry;
  readonly readiness: Readiness;
  readonly onHandled: ProcessMetrics['onHandled'];
  readonly nats: LateConnection;
  readonly front: OpenAiFront;
  /** Of the front. */
  readonly httpPort: number;
  readonly log: Log;
  /** Called with the address at which the gRPC services are called, when they can be. */
  readonly onReady: (grpc: string) => void;
}

/** What serves, since the first weights have come. */
interface Serving {
  readonly model: TargetModel;
  readonly answers: Answers;
  readonly grpc: GrpcServer;
  readonly registered: Promise<void>;
}

/** The target, served from the first weights on by every protocol, and found over NATS. */
export class LiveTarget {
  /** Resolves with the reason when the model can answer no more. */
  readonly failed: Promise<FuseMeshError>;
  #fail: (failure: FuseMeshError) => void = () => {};
  readonly #process: TargetProcess;
  readonly #leaving = new AbortController();
  #serving: Serving | undefined;

  constructor(process: TargetProcess) {
    this.#process = process;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /**
   * Serves these weights from now on. Calls one after another.
   *
   * @throws FuseMeshError where they cannot be used
   */
  readonly onWeights = async (directory: string, step: number): Promise<void> => {
    if (this.#serving) await this.#serving.answers.onWeights(directory, step);
    else this.#serving = await this.#serve(directory, step);
  };

  async #serve(directory: string, step: number): Promise<Serving> {
    const { config, settings, register, readiness, onHandled, nats, front, httpPort, log, onReady } =
      this.#process;
    const { threads, execution, device, slots, cacheTokens, address, listen, advertise } = settings;
    const { run, security, target } = config;
    const model = await TargetModel.load(directory, {
      step,
      threads,
      placement: { provider: execution, device },
      slots,
      cacheTokens,
      chatTemplate: target.chatTemplate,
      onProcessor: (line) => log.info(line),
    });
    try {
      void model.failed.then(this.#fail);
      const answers = new Answers(model, { slots, step, register });
      const grpc = await serve({
        address: listen ?? address,
        services: [
          implement(TargetService, targetService(run, answers)),
          implement(GRPCInferenceService, inferenceService(targetInference(run, answers), readiness)),
        ],
        log,
        security,
        readiness,
        onHandled,
      });
      front.open(answers);
      readiness.has('weights');
      log.info(
        { address: grpc.address, httpPort, step, execution, device, slots, ...model.card },
        `The target of ${run} is served: gRPC at ${grpc.address}, OpenAI's API at port ${httpPort} under /v1`,
      );
      const instance = randomUUID();
      const registered = keepRegistered(
        nats,
        'target service',
        (connection) => {
          const own = advertisedAddress(grpc.address, connection, advertise);
          const listing = { run, instance, address: own, httpAddress: withPort(own, httpPort) };
          return describeTarget(listing, () => ({ weightsStep: answers.step, answers: answers.inHand }));
        },
        { signal: this.#leaving.signal, log },
      );
      onReady(listen ? withPort(address, portOf(grpc.address)) : grpc.address);
      return { model, answers, grpc, registered };
    } catch (error) {
      await model.close();
      throw error;
    }
  }

  /** Takes no more calls, waits some seconds for those in hand, and frees the model. */
  async stop(): Promise<void> {
    this.#leaving.abort();
    const { front } = this.#process;
    const { grpc, model, registered } = this.#serving ?? {};
    await registered;
    await Promise.all([front.close(drainWithin), grpc?.stop()]);
    await model?.close();
  }
}
