import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { teacherMetrics, teacherTable } from './metric-table.ts';

it('shows every series of a run at once, at 0, and keeps what an earlier attachment counted', async () => {
  const register = new Registry();
  const metricsOf = teacherMetrics(register);
  const labels = { run: 'demo', teacher: 'orator' };
  metricsOf(labels);
  const shown = async () =>
    new Map(
      [...(await register.metrics()).matchAll(/^(\w+)\{run="demo",teacher="orator"\} (\S+)$/gm)].map(
        ([, name, value]) => [name, Number(value)],
      ),
    );
  const first = await shown();
  for (const { name, kind } of Object.values(teacherTable)) {
    expect(first.get(kind === 'histogram' ? `${name}_count` : name), name).toBe(0);
  }

  metricsOf(labels).tokensScored.inc(5);
  metricsOf(labels).tokensPublished.inc(3);
  const later = await shown();
  expect(later.get('fusemesh_teacher_tokens_scored_total')).toBe(5);
  expect(later.get('fusemesh_teacher_tokens_published_total')).toBe(3);
});
