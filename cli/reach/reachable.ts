import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import {
  processesFile,
  type RunningProcess,
  type RunningProcesses,
  readProcesses,
} from './processes-file.ts';

/** Where a process of a run can be reached, as far as it is known. */
export interface Place {
  readonly name: string;
  readonly kind: RunningProcess['kind'];
  /** HOST:PORT of its gRPC service. */
  readonly grpc: string | undefined;
  /** HOST:PORT of its /metrics. */
  readonly metrics: string | undefined;
}

type Listener = Pick<RunConfig['trainer'], 'address' | 'metricsPort'>;

/** Where the processes of a run are: where its file fixes the port there, else where `fusemesh up` says. */
export async function placesOfRun(config: RunConfig): Promise<Place[]> {
  return places(config, await readProcesses(config.trainer.output));
}

/**
 * HOST:PORT of the trainer's gRPC service.
 *
 * @throws FuseMeshError failed_precondition when nobody knows it, unavailable when `fusemesh up` has not
 * started the trainer yet
 */
export async function trainerAddress(config: RunConfig): Promise<string> {
  const running = await readProcesses(config.trainer.output);
  const address = places(config, running).find(({ kind }) => kind === 'trainer')?.grpc;
  if (address !== undefined) return address;
  if (running.state === 'running') {
    throw new FuseMeshError(
      'unavailable',
      `run ${config.run}: \`fusemesh up\` has no trainer running: it starts it when all teachers serve`,
    );
  }
  throw new FuseMeshError(
    'failed_precondition',
    `run ${config.run}: the trainer's port is 0 and ${whyUnknown(config, running)} ` +
      'Otherwise set trainer.address to a fixed port',
  );
}

function whyUnknown(config: RunConfig, running: RunningProcesses): string {
  const file = processesFile(config.trainer.output);
  return running.state === 'gone'
    ? `${file} is of a \`fusemesh up\` that is gone (process ${running.pid}): start it again.`
    : `${file} is not there: is \`fusemesh up\` running?`;
}

/**
 * The same, with what OUTPUT/processes.json tells already read: the sources in their order, the target service and the
 * rollout workers that were started here, then the trainer.
 */
export function places(config: RunConfig, running: RunningProcesses): Place[] {
  const started = running.state === 'running' ? running.processes : [];
  const place = (name: string, kind: Place['kind'], { address, metricsPort }: Listener): Place => {
    const found = started.find((each) => each.name === name && each.kind === kind);
    const fixed = address.endsWith(':0') ? undefined : reachableAddress(address);
    return {
      name,
      kind,
      grpc: fixed ?? found?.grpc,
      metrics: metricsPlace(fixed ?? found?.grpc ?? address, metricsPort || found?.metricsPort),
    };
  };
  const { service } = config.target;
  const workers = started.filter(({ kind }) => kind === 'rollout');
  return [
    ...sourcesOf(config).map((source) => place(source.name, 'teacher', source)),
    ...(service ? [place(targetServiceName, 'target', { ...service, metricsPort: service.httpPort })] : []),
    ...workers.map(({ name, kind, metricsPort }) => {
      return { name, kind, grpc: undefined, metrics: `127.0.0.1:${metricsPort}` };
    }),
    place('trainer', 'trainer', config.trainer),
  ];
}

/** What the process that serves the target is called, apart from its frozen copy. */
export const targetServiceName = 'target service';

/** /metrics is served at the host of the gRPC service. */
const metricsPlace = (address: string, port: number | undefined): string | undefined =>
  port === undefined ? undefined : reachableAddress(`${hostOf(address)}:${port}`);

/** The scheme of the URLs of `/metrics` and of the page. */
export const httpScheme = ({ tls }: RunConfig['security']): 'http' | 'https' => (tls ? 'https' : 'http');

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

/** A process that listens on every interface is reached on this machine. */
export const reachableAddress = (address: string): string =>
  address.replace(/^(0\.0\.0\.0|\[::\]):(?=\d+$)/, '127.0.0.1:');
