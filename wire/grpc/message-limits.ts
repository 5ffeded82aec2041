/** The largest request that a server takes: a text and a few numbers. Whoever calls cannot fill its memory. */
export const requestBytes = 8 << 20;

/** The largest answer that a server sends and a client takes: distributions of a long text are some megabytes. */
export const responseBytes = 64 << 20;
