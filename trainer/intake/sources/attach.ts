import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { baseFormat } from '../../../model/chat/chat-format.ts';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import type { Log } from '../../../process/log/log.ts';
import type { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { Client } from '../../../wire/grpc/client.ts';
import { downloadTokenizer } from '../../../wire/grpc/download-tokenizer.ts';
import type { KeptModels } from './kept-models.ts';
import type { Replica, Source } from './source.ts';
import { hex, modelOf, type SourceModel, whatIsOther } from './source-model.ts';

/** What a source is asked to do. */
export interface AttachRequest {
  readonly run: string;
  readonly topK: number;
  readonly topP: number;
  /** Remembers which model each source had. */
  readonly models: KeptModels;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const callTimeout = 10_000;
/** What is checked with it takes four bytes a token. */
const largestVocabulary = 2 ** 24;

/**
 * Attaches one process of a source to the run. The first one that the run has met settles what the source's tokenizer and
 * model are.
 *
 * @throws FuseMeshError failed_precondition when the process serves something else, what its calls fail with, and
 *   resource_exhausted or failed_precondition where the disk refuses
 */
export async function attach(
  client: Client<typeof TeacherService>,
  source: Source,
  replica: Replica,
  { run, topK, topP, models, log, signal }: AttachRequest,
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
  const model = modelOf(card);
  const tokenizer =
    source.tokenizer ??
    Tokenizer.fromJson(
      await downloadTokenizer(client, { signal }),
      `The tokenizer of teacher ${source.name}`,
    );
  refuseOther(source, tokenizer, model);
  if (source.model && source.model.serverVersion !== model.serverVersion) {
    log.warn(
      { teacher: source.name },
      `Teacher ${source.name} at ${replica.address}: its server has version ${model.serverVersion}, and had ` +
        `${source.model.serverVersion} when this training began; it answers the same`,
    );
  }
  source.model ??= model;
  source.vocabularySize ||= card.vocabularySize;
  if (source.tokenizer === undefined) source.chatFormat = card.chatFormat ?? baseFormat;
  source.tokenizer ??= tokenizer;
  source.identity ??= { teacher: card.name, run: card.run, modelFingerprint: model.modelFingerprint };
  replica.instance = card.instance;
  await models.keep(source.name, source.model);
  await client.attachRun({ run, teacher: source.name, topK, topP }, { signal, timeoutMs: callTimeout });
}

function refuseOther({ model: before }: Source, tokenizer: Tokenizer, now: SourceModel): void {
  const other = whatIsOther(before ?? { ...now, tokenizerFingerprint: hex(tokenizer.fingerprint) }, now);
  if (other === undefined) return;
  throw new FuseMeshError(
    'failed_precondition',
    `its ${other} than when this training began: start it with the model that it had, or begin again with --fresh`,
  );
}
