import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { entry } from '../translated/entry.ts';

test.each(['--help', 'doctor', 'doctor examples/demo.yaml'])(
  '%s ends quietly where its reader has closed the pipe',
  { timeout: 60_000 },
  async (parameters) => {
    // The reader is gone before anything is written.
    const line = `{ "$0" "$1" ${parameters}; echo "code $?" >&2; } | exec true`;
    const stderr = await new Promise<string>((resolve) => {
      execFile('bash', ['-c', line, process.execPath, entry], (_, _stdout, text) => resolve(text));
    });
    expect(stderr).toBe('code 0\n');
  },
);
