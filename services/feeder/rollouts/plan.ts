import { hash } from 'node:crypto';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { shuffle, uniformNumbers } from '../../../numbers/random.ts';

/** What decides which document is what. */
export interface PlanSettings {
  /** Documents of the corpus; 0 where the run has none. */
  readonly corpus: number;
  readonly prompts: number;
  /** Of all documents, those that the target writes. */
  readonly share: number;
  readonly perPrompt: number;
  /** Steps that weights may be older than those that are trained. */
  readonly staleness: number;
  readonly batchDocuments: number;
  /** Steps of the run; undefined where it takes all documents. */
  readonly steps: number | undefined;
  readonly seed: number;
}

/** What a document is: the next one of the corpus, or a rollout; each counted from 0. */
export type PlannedDocument = { readonly corpus: number } | { readonly rollout: number };

/**
 * The documents of a run that are fixed beforehand: which are of the corpus and which the target writes, from which
 * prompt, by which seed, and by how new weights. Every beginning of the run has the share of rollouts, within one.
 */
export class RolloutPlan {
  readonly settings: PlanSettings;
  /** Of the run. */
  readonly documents: number;
  /** Those of them that the target writes. */
  readonly rollouts: number;
  /** Passes over the prompts that were shuffled last. */
  readonly #orders = new Map<number, Uint32Array>();

  /** @throws FuseMeshError invalid_argument where there would be more documents than can be numbered */
  constructor(settings: PlanSettings) {
    const { corpus, prompts, share, perPrompt, batchDocuments, steps } = settings;
    this.settings = settings;
    if (corpus > 0) this.rollouts = Math.max(1, Math.round((corpus * share) / (1 - share)));
    else this.rollouts = steps === undefined ? prompts * perPrompt : steps * batchDocuments;
    this.documents = corpus + this.rollouts;
    if (this.documents * this.rollouts <= Number.MAX_SAFE_INTEGER) return;
    throw new FuseMeshError(
      'invalid_argument',
      `The run would have ${this.documents} documents, ${this.rollouts} of them written by the target, which are too many: lower onPolicy.share, onPolicy.perPrompt or trainer.steps.`,
    );
  }

  at(document: number): PlannedDocument {
    const before = this.rolloutsBefore(document);
    return this.rolloutsBefore(document + 1) > before ? { rollout: before } : { corpus: document - before };
  }

  /** Rollouts among the documents before one. */
  rolloutsBefore(document: number): number {
    const product = document * this.rollouts;
    return (product - (product % this.documents)) / this.documents;
  }

  /** Number of the document that a rollout becomes. */
  documentOf(rollout: number): number {
    return Math.ceil(((rollout + 1) * this.documents) / this.rollouts) - 1;
  }

  /** The first rollout that no step trains on. */
  get rolloutsTrained(): number {
    const { steps, batchDocuments } = this.settings;
    if (steps === undefined) return this.rollouts;
    return this.rolloutsBefore(Math.min(this.documents, steps * batchDocuments));
  }

  /** Number of its prompt: each comes perPrompt times, one after another, in the order of its pass. */
  promptOf(rollout: number): number {
    const { prompts, perPrompt } = this.settings;
    const taken = Math.floor(rollout / perPrompt);
    return this.#orderOf(Math.floor(taken / prompts))[taken % prompts];
  }

  /** What fixes its random choices, in 31 bits. */
  seedOf(rollout: number): number {
    return hashed(`rollout ${this.settings.seed} ${rollout}`) & 0x7fffffff;
  }

  /**
   * The least step that the weights may have that write it. Document p is trained on in step ⌊p / batchDocuments⌋ + 1,
   * by weights that are one step older.
   */
  leastStepOf(rollout: number): number {
    const { batchDocuments, staleness } = this.settings;
    return Math.max(0, Math.floor(this.documentOf(rollout) / batchDocuments) - staleness);
  }

  #orderOf(pass: number): Uint32Array {
    const known = this.#orders.get(pass);
    if (known) return known;
    const { prompts, seed } = this.settings;
    const order = Uint32Array.from({ length: prompts }, (_, prompt) => prompt);
    shuffle(order, uniformNumbers(hashed(`prompts ${seed} ${pass}`)));
    // A rollout that is written again may be of the pass before.
    this.#orders.delete(pass - 2);
    this.#orders.set(pass, order);
    return order;
  }
}

const hashed = (text: string): number => hash('sha256', text, 'buffer').readUInt32BE(0);
