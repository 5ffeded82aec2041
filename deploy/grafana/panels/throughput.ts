import { gauge, quantile, type Row, rate } from '../panel.ts';

export const throughput: Row = {
  title: 'Throughput',
  panels: [
    {
      title: 'Tokens per second',
      description:
        'Tokens that each teacher scores, summed over its replicas, and tokens that the trainer trains on. The slowest teacher sets the pace of the trainer: give it replicas or threads.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate('fusemesh_teacher_tokens_scored_total')})`,
          legend: 'teacher {{teacher}}',
        },
        { expression: `sum(${rate('fusemesh_trainer_tokens_total')})`, legend: 'trainer' },
      ],
    },
    {
      title: 'Queue depth',
      description:
        'Distributions of each teacher that have arrived and wait for a step. A deep queue belongs to a fast teacher, an empty one to the teacher that all wait for.',
      unit: 'short',
      min: 0,
      queries: [{ expression: gauge('fusemesh_trainer_queue_depth'), legend: '{{teacher}}' }],
    },
    {
      title: 'Publish wait',
      description:
        'Share of its time that a teacher waits because its stream is full: back-pressure by the trainer. Near 1 the teacher is faster than needed.',
      unit: 'percentunit',
      min: 0,
      queries: [
        {
          expression: `avg by (teacher) (${rate('fusemesh_teacher_publish_wait_seconds_total')})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Bytes published per token',
      description: 'Size of a token’s top-k distribution on the wire, by teacher.',
      unit: 'bytes',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate('fusemesh_teacher_published_bytes_total')}) / sum by (teacher) (${rate('fusemesh_teacher_tokens_scored_total')})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Documents per second',
      description:
        'Documents that each teacher scores, and documents that the trainer has joined and trained on.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate('fusemesh_teacher_documents_scored_total')})`,
          legend: 'teacher {{teacher}}',
        },
        { expression: `sum(${rate('fusemesh_trainer_documents_total')})`, legend: 'trainer' },
      ],
    },
    {
      title: 'Scoring time of a batch',
      description:
        'Median and 95th percentile of the seconds that a teacher needs for one batch of documents.',
      unit: 's',
      min: 0,
      queries: [
        {
          expression: quantile(0.5, 'fusemesh_teacher_batch_seconds', ['teacher']),
          legend: '{{teacher}}, median',
        },
        {
          expression: quantile(0.95, 'fusemesh_teacher_batch_seconds', ['teacher']),
          legend: '{{teacher}}, 95 %',
        },
      ],
    },
  ],
};
