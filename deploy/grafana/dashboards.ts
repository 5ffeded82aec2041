import type { DashboardDefinition } from './panel.ts';
import { processes } from './panels/mesh/processes.ts';
import { reliability } from './panels/mesh/reliability.ts';
import { resources } from './panels/mesh/resources.ts';
import { streams } from './panels/mesh/streams.ts';
import { alignment } from './panels/run/alignment.ts';
import { checkpointing } from './panels/run/checkpointing.ts';
import { firstScreen } from './panels/run/first-screen.ts';
import { optimization } from './panels/run/optimization.ts';
import { rollouts } from './panels/run/rollouts.ts';
import { servedTarget } from './panels/run/served-target.ts';
import { teaching } from './panels/run/teaching.ts';
import { timeSpent } from './panels/run/time-spent.ts';
import { fleet } from './panels/teachers/fleet.ts';
import { pressure } from './panels/teachers/pressure.ts';
import { teacherProcess } from './panels/teachers/process.ts';
import { scoring } from './panels/teachers/scoring.ts';
import { served } from './panels/teachers/served.ts';

/** All dashboards. */
export const dashboards: readonly DashboardDefinition[] = [
  {
    uid: 'fusemesh-run',
    title: 'FuseMesh: Run',
    description: 'One run: how fast the target trains, how well, and what holds it up.',
    rows: [firstScreen, timeSpent, teaching, alignment, optimization, checkpointing, rollouts, servedTarget],
  },
  {
    uid: 'fusemesh-teachers',
    title: 'FuseMesh: Teachers',
    description: 'All teachers of a run side by side, or those chosen above.',
    rows: [fleet, scoring, served, pressure, teacherProcess],
  },
  {
    uid: 'fusemesh-mesh',
    title: 'FuseMesh: Mesh',
    description: 'What carries a run: streams, connections and processes.',
    rows: [streams, reliability, processes, resources],
  },
];
