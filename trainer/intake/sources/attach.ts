import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { baseFormat } from '../../../model/chat/chat-format.ts';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import type { GetModelCardResponse, TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { Client } from '../../../wire/grpc/client.ts';
import { downloadTokenizer } from '../../../wire/grpc/download-tokenizer.ts';
import type { Replica, Source } from './source.ts';

/** What a source is asked to do. */
export interface AttachRequest {
  readonly run: string;
  readonly topK: number;
  readonly signal: AbortSignal;
}

const callTimeout = 10_000;
/** What is checked with it takes four bytes a token. */
const largestVocabulary = 2 ** 24;

/**
 * Attaches one process of a source to the run. The first one settles what the source's tokenizer and model are.
 *
 * @throws FuseMeshError failed_precondition when the process serves something else, and what its calls fail with
 */
export async function attach(
  client: Client<typeof TeacherService>,
  source: Source,
  replica: Replica,
  { run, topK, signal }: AttachRequest,
): Promise<void> {
  const card = await client.getModelCard({}, { signal, timeoutMs: callTimeout });
  if (card.vocabularySize > largestVocabulary) {
    throw new FuseMeshError(
      'failed_precondition',
      `it says that its vocabulary has ${card.vocabularySize} tokens, more than the ${largestVocabulary} that any may have`,
    );
  }
  const isFound = replica !== source.named;
  if (isFound && replica.instance !== card.instance) {
    throw new FuseMeshError(
      'failed_precondition',
      'another teacher answers there than the one that was found',
    );
  }
  const tokenizer =
    source.tokenizer ??
    Tokenizer.fromJson(
      await downloadTokenizer(client, { signal }),
      `The tokenizer of teacher ${source.name}`,
    );
  source.vocabularySize ||= card.vocabularySize;
  if (source.tokenizer === undefined) source.chatFormat = card.chatFormat ?? baseFormat;
  source.tokenizer ??= tokenizer;
  refuseOther(source, card);
  source.identity ??= { teacher: card.name, run: card.run, modelFingerprint: hex(card.modelFingerprint) };
  replica.instance = card.instance;
  await client.attachRun({ run, teacher: source.name, topK }, { signal, timeoutMs: callTimeout });
}

function refuseOther({ tokenizer, identity, chatFormat }: Source, card: GetModelCardResponse): void {
  const isSame = {
    tokenizer: tokenizer && Buffer.compare(tokenizer.fingerprint, card.tokenizerFingerprint) === 0,
    'chat template': chatFormat.template === (card.chatFormat ?? baseFormat).template,
    model: !identity || identity.modelFingerprint === hex(card.modelFingerprint),
  };
  const other = Object.entries(isSame).find(([, same]) => !same)?.[0];
  if (other === undefined) return;
  throw new FuseMeshError(
    'failed_precondition',
    `its ${other} is another one than when this training began: start it with the model that it had`,
  );
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
