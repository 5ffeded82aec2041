import { setTimeout as sleep } from 'node:timers/promises';
import type { GoingRun } from '../../test/end-to-end/disturbed-run.ts';

/** Long enough for another leader: servers wait 4 to 9 s before they elect one. */
const cutFor = 12_000;
/** Steps that the run must take while a server is cut off. */
const stepsMeanwhile = 3;

/**
 * Restarts the servers of NATS one after the other, each when the one before has all again; then cuts each off from the
 * other servers, and from everybody.
 *
 * @param steps of the run, over which this is spread
 */
export async function restartAndCut({ mesh, reaches }: GoingRun, steps: number): Promise<void> {
  const networks = mesh.networks!;
  await reaches(1);
  for (const server of mesh.servers) {
    await server.restart();
    await mesh.inSync();
    console.log(`  restarted: ${server.name}`);
  }
  const cuts = mesh.servers.flatMap(({ name }, server) => [
    {
      told: `${name} apart from the other servers`,
      cut: () => networks.separate(server),
      mend: () => networks.unite(server),
    },
    {
      told: `${name} apart from everybody`,
      cut: () => networks.unplug(server),
      mend: () => networks.plug(server),
    },
  ]);
  const stepsEach = Math.floor(steps / (cuts.length + 1));
  for (const [i, { told, cut, mend }] of cuts.entries()) {
    const after = (i + 1) * stepsEach;
    await reaches(after);
    await cut();
    await sleep(cutFor);
    await reaches(after + stepsMeanwhile);
    await mend();
    await mesh.inSync();
    console.log(`  ${i + 1} of ${cuts.length}, after step ${after}: ${told}`);
  }
}
