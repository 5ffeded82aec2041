import type { RunConfig } from '../../../process/config/schema.ts';
import type { BackgroundTasks } from '../../../process/lifecycle/background-tasks.ts';
import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import type { Log } from '../../../process/log/log.ts';
import { findTeachers } from '../../../wire/discovery/find.ts';
import type { NatsConnection } from '../../../wire/nats/connection.ts';
import { keepAttached } from './keep-attached.ts';
import { keepReplicas } from './keep-replicas.ts';
import type { KeptModels } from './kept-models.ts';
import type { Source } from './source.ts';

/** Attaches the processes of a run's sources, those of the run file and those that are found, and keeps them so. */
export function attachSources(
  { run, topK, topP }: Pick<RunConfig, 'run' | 'topK' | 'topP'>,
  sources: readonly Source[],
  {
    connection,
    models,
    tasks,
    notifier,
    log,
  }: {
    readonly connection: NatsConnection;
    readonly models: KeptModels;
    readonly tasks: BackgroundTasks;
    readonly notifier: Notifier;
    readonly log: Log;
  },
): void {
  const attaching = { run, topK, topP, models, notifier, log };
  for (const source of sources) {
    tasks.run((signal) => keepAttached(source, source.named, { ...attaching, signal }));
  }
  const find = () => findTeachers(connection);
  tasks.run((signal) => keepReplicas(sources, find, { ...attaching, signal }));
}
