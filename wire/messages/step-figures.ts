import type { GetHistoryResponse, TrainingStep } from '../generated/fusemesh/v1/trainer_pb.ts';

/** What several consecutive steps together have of a number: their mean, their sum, or what the last one has. */
export type Aggregation = 'mean' | 'sum' | 'last';

/** A figure of a training step. Metrics, history, messages and curves are made from its declaration. */
export interface StepFigure {
  /** Of its curve. */
  readonly name: string;
  readonly unit?: string;
  readonly over: Aggregation;
  readonly gauge: FigureGauge;
}

/** Prometheus' gauge of the last step: one of its own, or a `kind` of another figure's. */
type FigureGauge =
  | { readonly name: string; readonly help: string; readonly kind?: string }
  | { readonly of: StepFigureName; readonly kind: string };

/** The fields of a message that hold values of a type. */
type FieldsOf<Message, Value> = {
  [Field in keyof Message]-?: Message[Field] extends Value ? Field : never;
}[keyof Message];

/** The columns of numbers in a history. */
export type HistoryColumn = FieldsOf<GetHistoryResponse, number[]>;

/** Every number of a TrainingStep is a figure, but for its times and its rate. */
export type StepFigureName = Exclude<
  FieldsOf<TrainingStep, number>,
  'seconds' | 'waitSeconds' | 'tokensPerSecond'
>;

/**
 * The figures of a training step, each declared here once. A new one is a field of TrainingStep and a column of
 * GetHistoryResponse in proto/fusemesh/v1/trainer.proto, has its value in a StepReport, and is shown by
 * page/view/charts/run-charts.ts and by a panel of deploy/grafana. The compiler finds a field without a declaration
 * here, and a declaration without a field.
 */
export const stepFigures = {
  loss: {
    name: 'Loss',
    unit: 'nats a token',
    over: 'mean',
    gauge: {
      name: 'loss',
      help: 'Loss of the last step in nats a token: total, causal (language modelling) and fusion.',
      kind: 'total',
    },
  },
  causalLoss: {
    name: 'Causal loss',
    unit: 'nats a token',
    over: 'mean',
    gauge: { of: 'loss', kind: 'causal' },
  },
  fusionLoss: {
    name: 'Fusion loss',
    unit: 'nats a token',
    over: 'mean',
    gauge: { of: 'loss', kind: 'fusion' },
  },
  gradientNorm: {
    name: 'Gradient norm',
    over: 'mean',
    gauge: { name: 'gradient_norm', help: 'L2 norm of the last gradient before clipping.' },
  },
  learningRate: {
    name: 'Learning rate',
    over: 'mean',
    gauge: { name: 'learning_rate', help: 'Learning rate of the last step.' },
  },
  alignedShare: {
    name: 'Positions taught',
    unit: 'share',
    over: 'mean',
    gauge: {
      name: 'aligned_ratio',
      help: 'Share of the last step’s positions with a fused distribution, 0 to 1.',
    },
  },
} as const satisfies Readonly<Record<StepFigureName, StepFigure>>;
