/**
 * What a run would take on some machines: its bottleneck and its wall time, by a simulation of the mesh.
 *
 * --check   three real runs here, against what the simulation says of them
 */
import { parseArgs } from 'node:util';
import { checkPlans } from './planning/check.ts';
import { report } from './report.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, json: { type: 'boolean' } },
});
if (values.check) report('plan', await checkPlans());
