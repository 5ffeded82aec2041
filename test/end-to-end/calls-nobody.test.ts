import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { natsOfTests } from '../support/nats-of-tests.ts';
import { entryOfCheckout } from '../translated/entry.ts';
import { startCommand } from './command.ts';
import { makeSmallCorpus, writeRunFile, zoo } from './small-run.ts';
import { readTraces, straceInto, whyNoStrace } from './system-calls.ts';

const nats = natsOfTests();
const noStrace = whyNoStrace();
/** ONNX Runtime reports for the first time nine seconds after its first session, if it may. */
const firstReportWithin = 14_000;

test('a run reaches nobody but the processes of its run file, and writes nothing outside of its folders', async ({
  skip,
}) => {
  skip(noStrace !== undefined, noStrace);
  const corpus = await makeSmallCorpus({ bytesOfDomain: 1500 });
  onTestFinished(() => corpus.remove());
  const { directory } = corpus;
  const teacher = `127.0.0.1:${await freePort()}`;
  const { path, output } = await writeRunFile(corpus, {
    run: `calls-nobody-${process.pid}`,
    changes: {
      teachers: [{ name: 'orator', address: teacher, model: join(zoo, 'orator') }],
      target: { model: join(zoo, 'target') },
    },
  });
  const [home, temporary] = [join(directory, 'home'), join(directory, 'temporary')];
  await mkdir(join(home, '.cache'), { recursive: true });
  await mkdir(temporary);
  const environment = {
    HOME: home,
    TMPDIR: temporary,
    NATS_URL: nats.url,
    XDG_CACHE_HOME: undefined,
    FUSEMESH_CACHE: undefined,
    OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    // Set in this process as soon as it imports what starts threads.
    ORT_DISABLE_TELEMETRY: undefined,
  };
  const logOf = (name: string) => join(directory, `${name}.strace`);
  const start = (name: string, ...parameters: string[]) =>
    startCommand(parameters, environment, { from: entryOfCheckout, under: straceInto(logOf(name)) });

  const teaching = start('teacher', 'teacher', path, 'orator');
  const training = start('trainer', 'trainer', path);
  // Both have their models by then, and the trainer waits for documents.
  await sleep(firstReportWithin);
  const feeding = start('feeder', 'feed', path);
  const trained = await training.finished;
  const serving = [teaching, feeding];
  for (const { process } of serving) process.kill('SIGTERM');
  const ended = [trained, ...(await Promise.all(serving.map(({ finished }) => finished)))];
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);

  // Code that tsx has translated, and vocabulary maps.
  const folders = [output, join(temporary, `tsx-${process.getuid!()}`), join(home, '.cache', 'fusemesh')];
  const isElsewhere = (place: string) =>
    !folders.some((folder) => place === folder || place.startsWith(`${folder}/`));
  const seen = async (name: string) => {
    const { reached, written } = await readTraces(logOf(name));
    return {
      reached: [...reached].filter(isElsewhere).sort(),
      written: [...written].filter(isElsewhere).sort(),
    };
  };
  const server = new URL(nats.url).host;
  const both = [server, teacher].sort();
  expect({
    teacher: await seen('teacher'),
    feeder: await seen('feeder'),
    trainer: await seen('trainer'),
  }).toEqual({
    teacher: { reached: [server], written: [] },
    feeder: { reached: both, written: [] },
    trainer: { reached: both, written: [] },
  });
});
