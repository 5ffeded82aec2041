/** What runs, teachers and domains may be called: part of NATS subjects and metric labels. */
export const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const nameAdvice = 'use lower-case letters, digits and dashes, at most 63';
