import { collectDefaultMetrics, Registry } from 'prom-client';

/** A register of metrics for one process or service, with those of Node's process in it. */
export function createRegister(labels: Readonly<Record<string, string>>): Registry {
  const register = new Registry();
  register.setDefaultLabels({ ...labels });
  collectDefaultMetrics({ register });
  return register;
}
