import type colors from 'picocolors';

/** Colours, or what leaves a text as it is. */
export type Paint = ReturnType<typeof colors.createColors>;
