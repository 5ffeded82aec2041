import { hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Log } from '../../../process/log/log.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
} from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from '../../../wire/nats/connection.ts';
import { openRolloutStreams } from '../../../wire/nats/rollout-streams.ts';
import { openRunStreams } from '../../../wire/nats/run-streams.ts';
import type { StoredCorpus } from '../stored-corpus.ts';
import { type DroppedRollouts, RolloutExchange } from './exchange.ts';
import { RolloutJournal } from './journal.ts';
import { type PlanSettings, RolloutPlan } from './plan.ts';
import { preparePrompts } from './prepare-prompts.ts';
import { type OnPolicyRun, promptRules } from './prompt-rules.ts';
import { taskOfRollout } from './task-of-rollout.ts';

/** What they are made of. */
export interface Surroundings {
  /** The corpus's documents; undefined where the target writes all. */
  readonly corpus: StoredCorpus | undefined;
  readonly encoders: readonly ContentEncoder[];
  readonly connection: NatsConnection;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onDropped?: ((kind: keyof DroppedRollouts) => void) | undefined;
  readonly onRead?: ((read: number, all: number) => void) | undefined;
}

export const promptsDirectory = ({ trainer }: Pick<RunConfig, 'trainer'>): string =>
  join(trainer.output, 'prompts');
export const journalPath = ({ trainer }: Pick<RunConfig, 'trainer'>): string =>
  join(trainer.output, 'rollouts.jsonl');

/** The documents of a run of which the target writes some itself. */
export class OnPolicyDocuments {
  readonly manifest: CorpusManifest;
  readonly plan: RolloutPlan;
  /** To be run while documents are waited for. */
  readonly exchange: RolloutExchange;
  readonly #corpus: StoredCorpus | undefined;
  readonly #prompts: StoredCorpus;
  readonly #journal: RolloutJournal;

  private constructor(
    {
      corpus,
      prompts,
      plan,
      journal,
      exchange,
    }: {
      corpus: StoredCorpus | undefined;
      prompts: StoredCorpus;
      plan: RolloutPlan;
      journal: RolloutJournal;
      exchange: RolloutExchange;
    },
    manifest: CorpusManifest,
  ) {
    this.#corpus = corpus;
    this.#prompts = prompts;
    this.plan = plan;
    this.#journal = journal;
    this.exchange = exchange;
    this.manifest = manifest;
  }

  /**
   * Reads prompts and journal. One process at a time does so for a run (hold-directory.ts).
   *
   * @throws FuseMeshError as {@link preparePrompts} and RolloutJournal.open; data_loss where the journal lacks what was
   *   published
   */
  static async open(config: OnPolicyRun, surroundings: Surroundings): Promise<OnPolicyDocuments> {
    const { corpus, encoders, connection, signal, log, onDropped, onRead } = surroundings;
    const { onPolicy, contextLength, trainer, seed, run } = config;
    const { share, perPrompt, staleness, maxNewTokens, temperature, topP } = onPolicy;
    await mkdir(trainer.output, { recursive: true });
    const readers = { encoders, contextLength };
    const rules = promptRules(config, encoders, signal);
    const stored = { directory: promptsDirectory(config), log, onRead };
    const prompts = await preparePrompts({ onPolicy, contextLength }, rules, stored);
    const { batchDocuments, steps } = trainer;
    const settings: PlanSettings = {
      corpus: corpus?.count ?? 0,
      prompts: prompts.count,
      share,
      perPrompt,
      staleness,
      batchDocuments,
      steps,
      seed,
    };
    const plan = new RolloutPlan(settings);
    const sampling = { maxNewTokens, temperature, topP };
    const digest = planDigest(plan, sampling, [corpus?.manifest, prompts.manifest]);
    const journal = await RolloutJournal.open(journalPath(config), { run, plan: digest });
    const manifest = create(CorpusManifestSchema, {
      documents: BigInt(plan.documents),
      // What the target will write is not known yet.
      textBytes: corpus?.manifest.textBytes ?? 0n,
      sha256: new Uint8Array(Buffer.from(digest, 'hex')),
      contextLength,
    });
    const streams = openRolloutStreams(connection, run);
    await streams.ensure(config.nats);
    await refuseLostJournal(openRunStreams(connection, run), manifest, { plan, journal });
    const taskOf = taskOfRollout(plan, prompts, onPolicy);
    const exchange = new RolloutExchange({ plan, taskOf, journal, streams, readers, onDropped, log }, signal);
    return new OnPolicyDocuments({ corpus, prompts, plan, journal, exchange }, manifest);
  }

  /** Rollouts that are in the journal. */
  get written(): number {
    return this.#journal.count;
  }

  get count(): number {
    return this.plan.documents;
  }

  at(number: number): Document | Promise<Document> {
    const planned = this.plan.at(number);
    if ('rollout' in planned || this.#corpus === undefined) return this.exchange.at(number);
    const document = this.#corpus.at(planned.corpus);
    document.number = BigInt(number);
    return document;
  }

  async close(): Promise<void> {
    this.#prompts.close();
    await this.#journal.close();
  }
}

/** SHA-256 over all that decides what the documents are. */
function planDigest(
  { settings, documents, rollouts }: RolloutPlan,
  sampling: object,
  texts: readonly (CorpusManifest | undefined)[],
): string {
  // How many steps the trainer takes of them changes none.
  const { steps: _, ...decisive } = settings;
  const digests = texts.map((manifest) => Buffer.from(manifest?.sha256 ?? []).toString('hex'));
  return hash('sha256', JSON.stringify({ version: 1, decisive, documents, rollouts, sampling, digests }));
}

/** Whoever has lost the journal of a run that goes on would have other texts written in the place of those trained on. */
async function refuseLostJournal(
  streams: Pick<ReturnType<typeof openRunStreams>, 'publishedCorpus'>,
  manifest: CorpusManifest,
  { plan, journal }: { readonly plan: RolloutPlan; readonly journal: RolloutJournal },
): Promise<void> {
  const published = await streams.publishedCorpus();
  if (published === undefined || !Buffer.from(published.manifest.sha256).equals(manifest.sha256)) return;
  for (let rollout = 0; rollout < plan.rolloutsBefore(published.last + 1); rollout++) {
    const document = plan.documentOf(rollout);
    if (journal.has(document)) continue;
    throw new FuseMeshError(
      'data_loss',
      `The journal of rollouts lacks document ${document}, which was published: put back rollouts.jsonl in trainer.output, or begin the run again with --fresh.`,
    );
  }
}
