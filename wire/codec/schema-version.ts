import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** The newest version of manifests that this code understands. */
const knownSchemaVersion = 1;
/** The newest version of documents that this code understands; it writes it where they have turns, else none. */
export const documentVersion = 2;
/** Distributions with all k candidates of every row, and those with as many as hold a share of their mass. */
export const distributionVersion = { all: 2, mostMass: 3 } as const;

/**
 * @param schemaVersion as it came; 0 where the message says none, which means 1
 * @param what is read, for the message: "document 7"
 * @throws FuseMeshError data_loss
 */
export function refuseNewer(schemaVersion: number, what: string, known = knownSchemaVersion): void {
  if (schemaVersion <= known) return;
  throw new FuseMeshError(
    'data_loss',
    `${what} was made by a newer version of FuseMesh (schema_version ${schemaVersion}, known up to ${known}): bring this process up to date.`,
  );
}

/**
 * Refuses distributions of a version that is not known: older ones count in other units.
 *
 * @throws FuseMeshError data_loss
 */
export function refuseOtherDistributions(schemaVersion: number, what: string): void {
  refuseNewer(schemaVersion, what, distributionVersion.mostMass);
  if (schemaVersion >= distributionVersion.all) return;
  throw new FuseMeshError(
    'data_loss',
    `${what} were made by an older version of FuseMesh (schema_version ${Math.max(1, schemaVersion)}, needed ${distributionVersion.all}): bring the teacher up to date.`,
  );
}
