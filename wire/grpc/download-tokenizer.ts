import type { TeacherService } from '../generated/fusemesh/v1/teacher_pb.ts';
import type { CallOptions, Client } from './client.ts';

/** The tokenizer.json of a teacher, whole, as the teacher hands it out in chunks. */
export async function downloadTokenizer(
  client: Pick<Client<typeof TeacherService>, 'getTokenizer'>,
  options: CallOptions = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const { chunk } of client.getTokenizer({}, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
