import colors from 'picocolors';
import type { Finding, Verdict } from './finding.ts';

const paint: Readonly<Record<Verdict, (text: string) => string>> = {
  ok: colors.green,
  note: colors.yellow,
  problem: colors.red,
};

const verdictWidth = 'problem'.length;

/** A line for each finding under a title. */
export function findingLines(title: string, findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return [
    title,
    ...findings.map(
      ({ name, verdict, text }) =>
        `  ${paint[verdict](verdict.padEnd(verdictWidth))}  ${name.padEnd(width)}  ${text}`,
    ),
  ];
}

/** The last line: whether what was asked for could run. */
export function summaryLine(findings: readonly Finding[], asked: string): string {
  const problems = findings.filter(({ verdict }) => verdict === 'problem').length;
  if (problems === 0) return `${asked} can run on this machine.`;
  return `${asked} cannot run on this machine: ${problems === 1 ? 'one problem' : `${problems} problems`} above.`;
}
