import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** The newest version of manifests that this code understands. */
const knownSchemaVersion = 1;
/** The newest version of documents that this code understands; it writes it where they have turns, else none. */
export const documentVersion = 2;
/** The one version of distributions that this code writes and understands: spans in UTF-8 bytes. */
export const distributionVersion = 2;

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
 * Refuses distributions of any other version: older ones count in other units.
 *
 * @throws FuseMeshError data_loss
 */
export function refuseOtherDistributions(schemaVersion: number, what: string): void {
  refuseNewer(schemaVersion, what, distributionVersion);
  if (schemaVersion === distributionVersion) return;
  throw new FuseMeshError(
    'data_loss',
    `${what} were made by an older version of FuseMesh (schema_version ${Math.max(1, schemaVersion)}, needed ${distributionVersion}): bring the teacher up to date.`,
  );
}
