import type { Machine } from './check-machine.ts';
import { driverSupports, hasDriver, missingLibraries, usableCuda, wantedCuda } from './cuda-libraries.ts';
import { type Finding, note, ok } from './finding.ts';
