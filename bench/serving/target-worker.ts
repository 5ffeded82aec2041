import { startTarget } from '../../test/support/running-target.ts';

// The target service with a model: its URL to who started it, whose end is its own.
const [directory, threads, slots] = process.argv.slice(2);
const target = await startTarget(directory, { threads: Number(threads), slots: Number(slots) });
process.send!(target.url);
process.once('disconnect', async () => {
  await target.stop();
  process.exit();
});
