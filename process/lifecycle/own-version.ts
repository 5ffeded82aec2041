import project from '../../package.json' with { type: 'json' };

/** Of FuseMesh, as semantic versioning has it. */
export const ownVersion: string = project.version;
