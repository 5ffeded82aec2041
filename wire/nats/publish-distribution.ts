import type { RunContext } from './names.ts';
import { distributionsSubject } from './names.ts';
import { type PublishOptions, publishStored } from './publish-stored.ts';
import { traceHeaders } from './traceparent.ts';

/** Stores one teacher's distributions of one document; its id keeps a second copy out for two minutes. */
export async function publishDistribution(
  context: RunContext,
  { teacher, document, bytes }: { teacher: string; document: number; bytes: Uint8Array },
  { traceparent, ...options }: PublishOptions & { readonly onWait?: () => void },
): Promise<void> {
  await publishStored(
    context,
    {
      subject: distributionsSubject(context.names, teacher),
      bytes,
      once: { msgID: `${teacher}/${document}` },
      doing: `publish what ${teacher} says about document ${document}`,
      headers: traceHeaders(traceparent),
    },
    options,
  );
}
