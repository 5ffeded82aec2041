import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { toJson } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import project from '../../package.json' with { type: 'json' };
import type { ReportData } from '../../page/view/report-data.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { historyMessage } from '../../trainer/report/history/history-message.ts';
import type { HistoryPoint } from '../../trainer/report/history/history-point.ts';
import { GetHistoryResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { readStoredResult } from '../up/stored-result.ts';
import { runSettings } from './run-settings.ts';

/**
 * Reads what a run has left on disk, for its report.
 *
 * @param path of the run file
 * @throws FuseMeshError not_found when the run has not done a step; already_exists when it was finished with other
 *   settings
 */
export async function runReport(path: string, config: RunConfig, now: Date): Promise<ReportData> {
  const { output } = config.trainer;
  const history = await readHistory(output);
  const { points } = history;
  if (points.length === 0) {
    throw new FuseMeshError(
      'not_found',
      `The run ${config.run} has not done a step: there is no history in ${output}. Start it with fusemesh up ${path}`,
    );
  }
  const result = await resultOf(config);
  const sum = (amount: (point: HistoryPoint) => number) =>
    points.reduce((total, point) => total + amount(point), 0);
  const teachers = sourcesOf(config).map(({ name }) => name);
  const last = points[points.length - 1];
  return {
    run: config.run,
    // A trainer without fusemesh up leaves the model and no result.
    finished: result !== undefined || existsSync(join(output, 'model')),
    written: now.toISOString(),
    totals: { steps: last.step, tokens: sum(({ tokens }) => tokens), seconds: sum(({ seconds }) => seconds) },
    teachers,
    chosen: Object.fromEntries(teachers.map((name) => [name, sum(({ chosen }) => chosen[name] ?? 0)])),
    domains: result?.domains ?? [],
    history: toJson(GetHistoryResponseSchema, historyMessage(history), { alwaysEmitImplicit: true }),
    settings: [
      ...runSettings(config, dirname(resolve(path))),
      {
        title: 'When and with what',
        rows: [
          ['first step', timeOf(points[0].time)],
          ['last step', timeOf(last.time)],
          ['FuseMesh', project.version],
          ['Node.js', process.versions.node],
        ],
      },
    ],
  };
}

/** Undefined for an unfinished run. */
const resultOf = (config: RunConfig) =>
  readStoredResult(config).catch((cause: Error) => {
    if (!(cause instanceof FuseMeshError && cause.code === 'already_exists')) throw cause;
    throw new FuseMeshError(
      'already_exists',
      `${config.trainer.output} holds a run with other settings: give the run file and the --set that it was run with`,
      { cause },
    );
  });

/** @param seconds since 1970 */
const timeOf = (seconds: number): string =>
  `${new Date(1000 * seconds).toISOString().slice(0, 16).replace('T', ', ')} UTC`;
