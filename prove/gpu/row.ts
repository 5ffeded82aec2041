/** The parts of the proof, in their order. */
export const parts = ['parity', 'train', 'teach', 'run'] as const;
export type Part = (typeof parts)[number];

/** What a program of a part says of one thing that it has measured or compared. */
export interface Said {
  /** Left out, that of the job. */
  readonly name?: string;
  /** By what they are, with their unit. */
  readonly figures?: Readonly<Record<string, number | string>>;
  /** Whether a comparison is within its tolerance. */
  readonly ok?: boolean;
  /** Why a figure is missing, or what it must be read with. */
  readonly note?: string;
}

/** One row of the proof's tables. */
export interface Row extends Said {
  readonly part: Part;
  readonly name: string;
}

/** Tells the proof: one JSON object a line. */
export const say = (said: Said): void =>
  console.log(JSON.stringify(said, (_, value) => (Number.isNaN(value) ? 'NaN' : value)));
