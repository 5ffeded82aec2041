import { hash } from 'node:crypto';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { createLog } from '../../process/log/log.ts';
import { TargetService } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { FinishReason } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { implement } from '../../wire/grpc/implementation.ts';
import { serve } from '../../wire/grpc/serve.ts';

/** A target service without a model: what it writes is told by prompt, seed and weights alone. */
export interface StubTarget {
  readonly address: string;
  /** Calls that it is answering. */
  readonly inHand: number;
  /** Calls that began. */
  readonly calls: number;
  /** Serves newer weights from now on. */
  newWeights(step: number): void;
  stop(): Promise<void>;
}

interface StubOptions {
  readonly address?: string;
  readonly step?: number;
  /** Time that a completion takes, in milliseconds. */
  readonly slow?: number;
  /** Answers at once, by whatever weights there are. */
  readonly careless?: boolean;
}

const words = ['the', 'sea', 'and', 'a', 'king', 'who', 'sees', 'no', 'file', 'in', 'it'];

/** What the stub writes. */
export function stubCompletion(asked: string, seed: number, step: bigint, most: number): string[] {
  const digest = hash('sha256', JSON.stringify([asked, seed, String(step)]), 'buffer');
  return Array.from(
    digest.subarray(0, Math.min(most, digest[0] % 12)),
    (byte) => ` ${words[byte % words.length]}`,
  );
}

export async function startStubTarget({
  address = '127.0.0.1:0',
  step = 0,
  slow = 0,
  careless = false,
}: StubOptions = {}): Promise<StubTarget> {
  let weights = BigInt(step);
  let inHand = 0;
  let calls = 0;
  const news = new Notifier();
  const service = implement(TargetService, {
    getServedModel: async () => ({ name: 'stub', weightsStep: weights }),
    score: async () => ({}),
    async *generate({ prompt, turns, seed, minStep, maxTokens }, { signal }) {
      inHand++;
      calls++;
      try {
        const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        while (!careless && weights < minStep && !signal.aborted) await Promise.race([news.next(), gone]);
        const weightsStep = weights;
        const asked = prompt || turns.map(({ content }) => content).join('\n');
        const said = stubCompletion(asked, seed, weightsStep, maxTokens);
        let tokens = 0;
        for (const text of said) {
          await sleepUnlessAborted(slow / said.length, signal);
          if (signal.aborted) return;
          tokens++;
          yield { text, tokens, weightsStep, logProbability: -tokens };
        }
        const isLong = tokens === maxTokens;
        yield {
          tokens: isLong ? tokens : tokens + 1,
          weightsStep,
          logProbability: -tokens - 1,
          finishReason: isLong ? FinishReason.LENGTH : FinishReason.STOP,
        };
      } finally {
        inHand--;
      }
    },
  });
  const server = await serve({ address, services: [service], log: createLog('stub', { level: 'silent' }) });
  return {
    address: server.address,
    get inHand() {
      return inHand;
    },
    get calls() {
      return calls;
    },
    newWeights(newer) {
      weights = BigInt(newer);
      news.notifyAll();
    },
    stop: () => server.stop(),
  };
}
