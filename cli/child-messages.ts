import { z } from 'zod';

/** What a process of a run tells the `fusemesh up` that started it, over the IPC channel. */
export const childMessageSchema = z.union([
  z.strictObject({
    ready: z
      .strictObject({
        grpc: z.string(),
        metricsPort: z.number(),
        note: z.string().optional().describe('What else a person is to know of it.'),
      })
      .describe('It serves there.'),
  }),
  z.strictObject({
    recorded: z
      .strictObject({
        documents: z.number(),
        total: z.number(),
        bytes: z.number(),
        tokens: z.number(),
        tokenBytes: z.number(),
      })
      .describe('How far a recording has come.'),
  }),
  z.strictObject({
    writing: z.strictObject({ metricsPort: z.number() }).describe('It has the target write.'),
  }),
  z.strictObject({
    fed: z.strictObject({ published: z.number(), total: z.number() }).describe('Documents of the corpus.'),
  }),
]);

export type ChildMessage = z.infer<typeof childMessageSchema>;

/** Tells the parent process, if it listens. */
export function tellParent(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}
