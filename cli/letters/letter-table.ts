import type { StoredDeadLetter } from '../../wire/nats/dead-letter-box.ts';

const headings = ['letter', 'time (UTC)', 'source', 'position', 'bytes', 'reason'];

/** Dead letters as lines for a terminal, under a line of headings. */
export function letterTable(letters: readonly StoredDeadLetter[]): string[] {
  if (letters.length === 0) return ['There are no dead letters.'];
  const rows = letters.map(({ number, time, source, stream, position, bytes, reason }) => [
    String(number),
    time.toISOString().slice(0, 19).replace('T', ' '),
    source,
    // fusemesh_RUN_documents
    `${stream.slice(stream.lastIndexOf('_') + 1)} ${position}`,
    String(bytes),
    reason,
  ]);
  const widths = headings.map((heading, column) =>
    rows.reduce((most, row) => Math.max(most, row[column].length), heading.length),
  );
  return [headings, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
