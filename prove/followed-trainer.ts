import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { RunningCommand } from '../test/end-to-end/command.ts';
import { TrainerService } from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../wire/grpc/client.ts';

/** How far the trainer of a running `fusemesh up` has come. */
export class FollowedTrainer {
  /** The last step that this process has done; 0 before its first. */
  step = 0;
  /** How long that step took. */
  stepSeconds = 0;
  #gone = false;

  /** Returns when the trainer serves. */
  static async of(up: RunningCommand): Promise<FollowedTrainer> {
    const followed = new FollowedTrainer();
    void followed.#follow(await trainerAddress(up));
    return followed;
  }

  /** @throws FuseMeshError failed_precondition when the trainer ends before it has done that step */
  async reaches(step: number): Promise<void> {
    while (this.step < step) {
      if (this.#gone) {
        throw new FuseMeshError('failed_precondition', `The trainer ended before step ${step}: see its log.`);
      }
      await sleep(2);
    }
  }

  async #follow(address: string): Promise<void> {
    const client = createClient(TrainerService, address);
    try {
      for await (const { step } of client.watchSteps({})) {
        this.step = Number(step?.step);
        this.stepSeconds = step?.seconds ?? 0;
      }
    } catch (error) {
      // The stream ends like this when the trainer is killed.
      if (!(error instanceof FuseMeshError)) throw error;
    } finally {
      this.#gone = true;
      client.close();
    }
  }
}

function trainerAddress(up: RunningCommand): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    up.process.stdout?.on('data', (text: string) => {
      output += text;
      const line = /^trainer (\S+), metrics/m.exec(output);
      if (line) resolve(line[1]);
    });
    up.finished.then(
      ({ stderr }) =>
        reject(
          new FuseMeshError('failed_precondition', `The run ended before its trainer served: ${stderr}`),
        ),
      reject,
    );
  });
}
