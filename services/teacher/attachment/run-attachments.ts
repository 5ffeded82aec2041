import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { TeacherWork } from '../../../wire/discovery/teacher-listing.ts';
import type { AttachmentSettings, RunAttachment } from './run-attachment.ts';

/** The runs that a teacher is attached to, by name. */
export class RunAttachments {
  readonly #start: (settings: AttachmentSettings) => Promise<RunAttachment>;
  readonly #byRun = new Map<string, { settings: AttachmentSettings; attachment: Promise<RunAttachment> }>();
  readonly #working = new Set<RunAttachment>();

  /** @param start begins the work for a run; rejects where it cannot */
  constructor(start: (settings: AttachmentSettings) => Promise<RunAttachment>) {
    this.#start = start;
  }

  /**
   * Attaches to a run. Doing it again with the same settings changes nothing.
   *
   * @throws FuseMeshError failed_precondition when attached with other settings
   */
  async attach(settings: AttachmentSettings): Promise<RunAttachment> {
    const present = this.#byRun.get(settings.run);
    if (present) {
      const { teacher, topK, topP } = present.settings;
      if (teacher !== settings.teacher || topK !== settings.topK || topP !== settings.topP) {
        throw new FuseMeshError(
          'failed_precondition',
          `The teacher is attached to the run ${settings.run} as "${teacher}" with top_k ${topK} and top_p ${topP ?? 0}: detach it first.`,
        );
      }
      return present.attachment;
    }

    const attachment = this.#start(settings);
    const entry = { settings, attachment };
    this.#byRun.set(settings.run, entry);
    const forget = () => {
      if (this.#byRun.get(settings.run) === entry) this.#byRun.delete(settings.run);
    };
    attachment
      .then(async (working) => {
        this.#working.add(working);
        await working.ended.finally(() => this.#working.delete(working));
      })
      .finally(forget)
      .catch(() => undefined);
    return attachment;
  }

  /** How the work for each run goes. */
  work(): TeacherWork[] {
    return [...this.#working].map((attachment) => {
      const { run, teacher } = attachment.settings;
      const { documentsScored, documentsInHand, tokensPerSecond, waitingForRoom } = attachment.status();
      return {
        run,
        teacher,
        documentsInHand,
        tokensPerSecond,
        waitingForRoom,
        documentsScored: Number(documentsScored),
      };
    });
  }

  /** @throws FuseMeshError not_found when not attached to that run */
  async attached(run: string): Promise<RunAttachment> {
    const entry = this.#byRun.get(run);
    if (!entry) {
      throw new FuseMeshError('not_found', `The teacher is not attached to the run ${run}.`);
    }
    return entry.attachment;
  }

  /** Leaves every run. */
  async detachAll(): Promise<void> {
    const attachments = await Promise.allSettled([...this.#byRun.values()].map((entry) => entry.attachment));
    await Promise.all(
      attachments.map((settled) => (settled.status === 'fulfilled' ? settled.value.detach() : undefined)),
    );
  }
}
