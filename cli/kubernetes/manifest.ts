/** An object of Kubernetes: what is written of it is what is meant. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [part: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a process is in a run; the jobs of Prometheus go by these names. */
export type Part = 'teacher' | 'target' | 'feeder' | 'rollout' | 'trainer';

/** Label that says which part a pod is; Prometheus calls its job so. */
export const partLabel = 'fusemesh/part';

/** Labels of a run, of one part of it, or of one source. */
export function labelsOf(run: string, part?: Part, source?: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'fusemesh',
    'app.kubernetes.io/instance': run,
    ...(part && { [partLabel]: part }),
    ...(source && { 'fusemesh/source': source }),
  };
}

export const metadataOf = (
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Metadata => ({ name, namespace, labels });
