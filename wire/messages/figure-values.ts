import { byName } from './by-name.ts';
import { type StepFigureName, stepFigures } from './step-figures.ts';

/** The figures of a step, or of several together. */
export type FigureValues = Readonly<Record<StepFigureName, number>>;

/** In the order of their declaration. */
export const figureNames = Object.keys(stepFigures) as StepFigureName[];

/** The figures of what has them, and may have more. */
export const figuresOf = (from: FigureValues): FigureValues => byName(figureNames, (name) => from[name]);

/** Where nothing is known of a step, each figure is NaN. */
export const noFigures: FigureValues = byName(figureNames, () => Number.NaN);
