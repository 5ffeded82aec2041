/** `ok` is as it should be, a `note` is good to know, and with a `problem` what was asked for cannot run. */
export type Verdict = 'ok' | 'note' | 'problem';

/** What was looked at, and how it is. */
export interface Finding {
  readonly name: string;
  readonly verdict: Verdict;
  /** One line; that of a problem says what to do. */
  readonly text: string;
}

export const ok = (name: string, text: string): Finding => ({ name, verdict: 'ok', text });
export const note = (name: string, text: string): Finding => ({ name, verdict: 'note', text });
export const problem = (name: string, text: string): Finding => ({ name, verdict: 'problem', text });

/** An error as one line: those of our own say what to do. */
export const lineOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');

/** What a check finds; one that fails has found a problem. */
export async function checked(
  name: string,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    return [problem(name, lineOf(error))];
  }
}

export const hasProblem = (findings: readonly Finding[]): boolean =>
  findings.some(({ verdict }) => verdict === 'problem');
