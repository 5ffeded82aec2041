import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** The newest version of documents, manifests and distributions that this code understands. */
const knownSchemaVersion = 1;

/**
 * @param schemaVersion as it came; 0 where the message says none, which means 1
 * @param what is read, for the message: "document 7"
 * @throws FuseMeshError data_loss
 */
export function refuseNewer(schemaVersion: number, what: string): void {
  if (schemaVersion <= knownSchemaVersion) return;
  throw new FuseMeshError(
    'data_loss',
    `${what} was made by a newer version of FuseMesh (schema_version ${schemaVersion}, known up to ${knownSchemaVersion}): bring this process up to date.`,
  );
}
