/**
 * Does the work of a process that the proof has started: takes the request from the command line, and ends with code 1
 * and the error's message as the last line of stderr where the work fails.
 */
export async function work<Request>(task: (request: Request) => Promise<void>): Promise<never> {
  try {
    await task(JSON.parse(process.argv[2]) as Request);
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : String(error));
    process.exit(1);
  }
}
