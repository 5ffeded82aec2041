import type { TeacherRunStatus } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import type { GetStatusResponse } from '../../mesh/generated/fusemesh/v1/trainer_pb.ts';
import type { RunProgress, TeacherProgress, TrainerProgress } from './progress.ts';

/** Gathers what the processes of a run say about themselves. */
export class ProgressBoard {
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #teachers: Map<string, TeacherProgress>;
  #fed: RunProgress['fed'];
  #trainer: TrainerProgress | undefined;
  #firstStep: { readonly step: number; readonly at: number } | undefined;

  /** @param now seconds, on any clock that does not go back */
  constructor(teachers: readonly string[], now: () => number = () => performance.now() / 1000) {
    this.#now = now;
    this.#startedAt = now();
    const idle = { tokensPerSecond: 0, documentsScored: 0, waitingForRoom: false };
    this.#teachers = new Map(teachers.map((name) => [name, { name, ...idle }]));
  }

  fed(fed: { readonly published: number; readonly total: number }): void {
    this.#fed = fed;
  }

  teacher(name: string, status: TeacherRunStatus): void {
    const { tokensPerSecond, waitingForRoom } = status;
    const documentsScored = Number(status.documentsScored);
    this.#teachers.set(name, { name, tokensPerSecond, documentsScored, waitingForRoom });
  }

  trainer({ lastStep, stepsTotal, sources }: GetStatusResponse): void {
    if (!lastStep) return;
    const step = Number(lastStep.step);
    this.#firstStep ??= { step, at: this.#now() };
    const { loss, causalLoss, fusionLoss, tokensPerSecond } = lastStep;
    this.#trainer = {
      ...{ step, stepsTotal: Number(stepsTotal), loss, causalLoss, fusionLoss, tokensPerSecond },
      documents: Number(lastStep.documents),
      documentsWaiting: Math.max(0, ...sources.map(({ queueDepth }) => queueDepth)),
      secondsLeft: this.#secondsLeft(step, Number(stepsTotal)),
    };
  }

  progress(): RunProgress {
    return {
      seconds: this.#now() - this.#startedAt,
      fed: this.#fed,
      teachers: [...this.#teachers.values()],
      trainer: this.#trainer,
    };
  }

  #secondsLeft(step: number, stepsTotal: number): number | undefined {
    const first = this.#firstStep;
    if (first === undefined || step === first.step) return undefined;
    return ((this.#now() - first.at) / (step - first.step)) * Math.max(0, stepsTotal - step);
  }
}
