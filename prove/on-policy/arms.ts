/** A way to go on training a target that has been taught from texts before. */
export interface Arm {
  readonly name: string;
  /** Keys of the run file, as after --set. */
  readonly settings: readonly string[];
  /** Documents of the run are the target's own, in part. */
  readonly onPolicy: boolean;
  /** So many that all arms train on as many tokens. */
  readonly steps: number;
}

const own = (share: number, loss: string, steps: number): Arm => ({
  name: `onPolicy, share ${share}, ${loss}`,
  settings: [`onPolicy.share=${share}`, `onPolicy.loss=${loss}`],
  onPolicy: true,
  steps,
});

/** The first is what the others are compared with. */
export const arms: readonly Arm[] = [
  { name: 'off-policy', settings: [], onPolicy: false, steps: 44 },
  own(0.5, 'reverseKL', 56),
  own(0.65, 'reverseKL', 61),
  own(0.75, 'reverseKL', 65),
  own(0.75, 'jsd', 65),
  own(0.75, 'policyGradient', 65),
];
