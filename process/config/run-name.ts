/** What a run, a teacher and a domain may be called: a part of subjects, stream names, labels and file names. */
export const runNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The same for people. */
export const runNameRule = 'use lower-case letters, digits and dashes, at most 63';

export const isRunName = (name: string): boolean => runNamePattern.test(name);
