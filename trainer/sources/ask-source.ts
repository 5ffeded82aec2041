import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { decodeTextDistribution } from '../../mesh/codec/decode-text-distribution.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import { TeacherService } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../mesh/grpc/client.ts';
import type { Source } from './source.ts';

const answerWithin = 120_000;

/**
 * What a source says about a document, asked by gRPC and not through the stream.
 *
 * @throws FuseMeshError with the source's own code, or unavailable when it does not answer
 */
export async function askSource(
  { name, address, security }: Source,
  document: Document,
  { topK, signal }: { topK: number; signal: AbortSignal },
): Promise<TextDistribution> {
  const client = createClient(TeacherService, address, security);
  try {
    const { distribution } = await client.score(
      { text: document.text, topK },
      { signal, timeoutMs: answerWithin },
    );
    if (!distribution) throw new FuseMeshError('data_loss', `${address} answered without a distribution`);
    return { ...decodeTextDistribution(distribution), document: Number(document.number), teacher: name };
  } finally {
    client.close();
  }
}
