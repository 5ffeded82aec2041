/** Whether there is a process of this number on this machine. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of another user, and so alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
