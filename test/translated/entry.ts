import { join } from 'node:path';
import { checkout, translatedFolder } from './folder.ts';

const path = 'cli/fusemesh.mjs';

/** The file that Node.js runs where people start the command in a checkout. Each process translates itself. */
export const entryOfCheckout = join(checkout, path);

/** The same file of the translated program in tests: its processes start in half the time. */
export const entry = join(translatedFolder() ?? checkout, path);
