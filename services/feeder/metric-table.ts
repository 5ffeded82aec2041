import { counter, gauge } from '../../process/metrics/metric.ts';

const named = (name: string) => `fusemesh_feeder_${name}`;

/** A feeder's metrics. */
export const feederTable = {
  documents: gauge(named('documents'), 'Documents that the run has.'),
  published: gauge(named('documents_published'), 'Documents that are published, by whatever feeder.'),
  skipped: gauge(named('texts_skipped'), 'Texts of the corpus that became no document.', ['reason']),
  dropped: counter(
    named('rollouts_dropped_total'),
    'Rollouts that became no document: stale (by weights too old), unusable (not what was asked for) or late (written already).',
    ['kind'],
  ),
};
