import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { processMetrics } from './process-metrics.ts';

it('tells of the build, of gRPC calls and of the connection to NATS', async () => {
  const register = new Registry();
  const { onHandled, onNats } = processMetrics(register);
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const before = await register.metrics();
  expect(before).toContain(`fusemesh_build_info{version="${version}",node_version="${process.version}"} 1`);
  expect(before).not.toMatch(/^fusemesh_nats_connected/m);
  expect(before).toContain('fusemesh_nats_reconnects_total 0');

  onHandled({ service: 's', method: 'm', code: 'OK', seconds: 0.02 });
  const connected = async () =>
    (await register.getSingleMetric('fusemesh_nats_connected')!.get()).values[0].value;
  for (const [event, value] of [
    ['connected', 1],
    ['lost', 0],
    ['back', 1],
    ['unanswered', 1],
    ['closed', 0],
  ] as const) {
    onNats(event);
    expect(await connected(), event).toBe(value);
  }
  const after = await register.metrics();
  expect(after).toContain('fusemesh_nats_reconnects_total 1');
  expect(after).toContain('fusemesh_nats_unanswered_total 1');
  expect(after).toContain(
    'fusemesh_grpc_server_handling_seconds_bucket{le="0.03",service="s",method="m",code="OK"} 1',
  );
});
