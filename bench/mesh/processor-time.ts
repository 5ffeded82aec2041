import { readFile } from 'node:fs/promises';

/** Ticks of user and system time a second, as Linux has them on every machine that Node runs on. */
const ticksPerSecond = 100;

/** Processor seconds of another process since it began; undefined on systems without /proc. */
export async function processorSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name, which may have spaces; user and system time are the 14th and 15th.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
