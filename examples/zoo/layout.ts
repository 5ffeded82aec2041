import { join, resolve } from 'node:path';

/** The kinds of text that the example models know. */
export const domains = ['speeches', 'fiction', 'manuals'] as const;
export type Domain = (typeof domains)[number];

/** Where the zoo lies in the repository. */
export const zooDirectory = import.meta.dirname;

/** Downloaded and intermediate files; not committed. */
export const sourcesDirectory = resolve(zooDirectory, '../../.fusemesh/zoo-sources');

export const corpusPath = (domain: Domain): string => join(zooDirectory, 'corpus', `${domain}.txt`);
export const heldOutPath = (domain: Domain): string => join(zooDirectory, 'held-out', `${domain}.txt`);
/** All of a domain's text but the held-out passages; too large to commit. */
export const trainingPath = (domain: Domain): string => join(sourcesDirectory, `${domain}.txt`);
export const modelDirectory = (model: string): string => join(zooDirectory, model);
/** The same model with random weights, where its training begins; not committed. */
export const untrainedDirectory = (model: string): string => join(sourcesDirectory, 'untrained', model);
