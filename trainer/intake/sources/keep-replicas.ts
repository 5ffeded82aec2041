import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { repeatUntilAborted } from '../../../process/lifecycle/repeat.ts';
import { unlessAborted } from '../../../process/lifecycle/unless-aborted.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { FoundTeacher } from '../../../wire/discovery/teacher-listing.ts';
import { type Attachment, keepAttached } from './keep-attached.ts';
import { type Replica, replicaAt, type Source } from './source.ts';

const lookEvery = 2_000;

/** A process that was found and is kept attached. */
interface Kept {
  readonly replica: Replica;
  readonly leaving: AbortController;
  readonly over: Promise<void>;
}

/**
 * Keeps attached to the run, beside the processes that the run file names, every replica of a source that is found
 * over NATS, from when it is found until it is gone. While NATS is away nothing changes. Runs until aborted.
 *
 * @param find the teachers that answer now
 */
export async function keepReplicas(
  sources: readonly Source[],
  find: () => Promise<FoundTeacher[]>,
  attachment: Attachment,
): Promise<void> {
  const { run, signal, log } = attachment;
  const kept = new Map(sources.map((source) => [source, new Map<string, Kept>()]));
  /** Instances that can never do what the run asks. */
  const refused = new Set<string>();
  const warning = new RepeatedWarning(log);
  let failure: { readonly error: unknown } | undefined;
  const onFailure = ({ message }: FuseMeshError) =>
    warning.warn(`Replicas of the teachers are not looked for: ${message}`);
  await repeatUntilAborted({ pause: lookEvery, signal, onFailure }, async () => {
    if (failure !== undefined) throw failure.error;
    // A NATS that hangs must not hold up a trainer that stops.
    const found = await unlessAborted(find(), signal);
    if (found === undefined) return;
    warning.over();
    for (const [source, ofSource] of kept) {
      follow(source, ofSource, replicasOf(source, found, run));
    }
  });
  await Promise.all([...kept.values()].flatMap((each) => [...each.values()].map(({ over }) => over)));

  function follow(source: Source, ofSource: Map<string, Kept>, wanted: readonly FoundTeacher[]): void {
    for (const { instance, address } of wanted) {
      if (!ofSource.has(instance) && !refused.has(instance)) {
        ofSource.set(instance, begin(source, replicaAt(address, instance)));
      }
    }
    const instances = new Set(wanted.map(({ instance }) => instance));
    for (const [instance, { replica, leaving }] of ofSource) {
      // One that works is not gone because it was slow to answer.
      const isNamed = instance === source.named.instance;
      if (!isNamed && (instances.has(instance) || replica.attached)) continue;
      leaving.abort();
      ofSource.delete(instance);
      source.found.delete(replica);
      if (!isNamed)
        log.info({ teacher: source.name }, `Teacher ${source.name} at ${replica.address} is gone`);
    }
  }

  function begin(source: Source, replica: Replica): Kept {
    const leaving = new AbortController();
    source.found.add(replica);
    const until = AbortSignal.any([signal, leaving.signal]);
    const over = keepAttached(source, replica, { ...attachment, signal: until }).catch((error: unknown) => {
      if (!(error instanceof FuseMeshError)) {
        failure ??= { error };
        return;
      }
      refused.add(replica.instance!);
      kept.get(source)!.delete(replica.instance!);
      source.found.delete(replica);
      log.warn({ teacher: source.name }, `${error.message} (at ${replica.address})`);
    });
    return { replica, leaving, over };
  }
}

/**
 * Which of the teachers that were found are replicas of a source, beside the process that the run file names: those
 * with its name and its model that were started with a run file of the same run. Before any process of the source is
 * known, those that were started for this run.
 *
 * @param run that the trainer trains
 */
export function replicasOf(
  { name, named, identity }: Pick<Source, 'name' | 'named' | 'identity'>,
  found: readonly FoundTeacher[],
  run: string,
): FoundTeacher[] {
  const wanted = identity ?? { teacher: name, run, modelFingerprint: undefined };
  return found.filter(
    (one) =>
      one.teacher === wanted.teacher &&
      one.run === wanted.run &&
      (wanted.modelFingerprint ?? one.modelFingerprint) === one.modelFingerprint &&
      one.instance !== named.instance &&
      one.address !== named.address,
  );
}
