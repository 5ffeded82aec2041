import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { billOfImage } from './bill-of-materials.ts';
import { copyPackages } from './packages.ts';
import { writeProgram } from './program.ts';

// Makes what an image holds of a checkout with its packages: for deploy/Dockerfile, whose last stages have neither
// npm nor a translator.
//   node --import tsx deploy/image/build.ts BILL OUT
// BILL is what `npm sbom --sbom-format cyclonedx` has written. OUT/packages changes less often than OUT/program.

const packagesHere = resolve(import.meta.dirname, '../../node_modules');
const [bill, out] = process.argv.slice(2);
const packages = join(out, 'packages');
const program = join(out, 'program');

await copyPackages(packagesHere, join(packages, 'node_modules'), process);
await writeProgram(program);
const isThere = (name: string): boolean => existsSync(join(packages, 'node_modules', name));
await writeFile(join(program, 'sbom.cdx.json'), billOfImage(await readFile(bill, 'utf8'), isThere));
