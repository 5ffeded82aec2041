import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { natsOfTests } from '../support/nats-of-tests.ts';
import { startCommand } from './command.ts';
import { makeSmallCorpus, writeRunFile, zoo } from './small-run.ts';
import { readTraces, straceInto, whyNoStrace } from './system-calls.ts';

const nats = natsOfTests();
const noStrace = whyNoStrace();

test('a run reaches nobody but the processes of its run file, and writes nothing outside of its folders', async ({
  skip,
}) => {
  skip(noStrace !== undefined, noStrace);
  // Long enough for ONNX Runtime's first report, two seconds after the first session.
  const corpus = await makeSmallCorpus({ bytesOfDomain: 12_000 });
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
    startCommand(parameters, environment, straceInto(logOf(name)));

  const serving = [start('teacher', 'teacher', path, 'orator'), start('feeder', 'feed', path)];
  const trained = await start('trainer', 'trainer', path).finished;
  for (const { process } of serving) process.kill('SIGTERM');
  const ended = [trained, ...(await Promise.all(serving.map(({ finished }) => finished)))];
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);

  // Code that tsx has translated, and vocabulary maps.
  const folders = [output, join(temporary, `tsx-${process.getuid!()}`), join(home, '.cache', 'fusemesh')];
  const isElsewhere = (place: string) =>
    !folders.some((folder) => place === folder || place.startsWith(`${folder}/`));
  for (const [name, services] of Object.entries({
    teacher: [],
    feeder: [teacher],
    trainer: [teacher],
  })) {
    const { reached, written } = await readTraces(logOf(name));
    expect(
      [reached, written].map((places) => [...places].filter(isElsewhere).sort()),
      name,
    ).toEqual([[new URL(nats.url).host, ...services].sort(), []]);
  }
});
