import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toJson } from '@bufbuild/protobuf';
import { Registry } from 'prom-client';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, serveHttp } from '../process/http/serve-http.ts';
import { createLog } from '../process/log/log.ts';
import { chromium, type Look, openPage, startChromium } from '../test/support/chromium.ts';
import { exampleRolloutHistory, exampleRollouts } from '../test/support/example-rollouts.ts';
import { type ExampleRun, exampleHistory, exampleRun, exampleStatus } from '../test/support/example-run.ts';
import { GetHistoryResponseSchema, TrainerState } from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { reportDocument } from './documents/report-document.ts';
import { servePage } from './serve-page.ts';
import type { ReportData } from './view/report-data.ts';

const looks: Look[] = [
  { theme: 'light', width: 1440 },
  { theme: 'dark', width: 1440 },
  { theme: 'light', width: 390 },
  { theme: 'dark', width: 390 },
];

/** A folder for pictures of the page; without it they are thrown away. */
const kept = process.env['FUSEMESH_SCREENSHOTS'];

describe.skipIf(chromium === undefined)('in a browser (skipped where no Chromium is installed)', () => {
  let browser: Browser;
  let pictures: string;
  let server: HttpServer;
  let run: ExampleRun;
  const asked: number[] = [];

  const start = (port = 0) =>
    serveHttp(new Registry(), {
      host: '127.0.0.1',
      port,
      log: createLog('test', { level: 'silent' }),
      route: servePage({
        status: () => run.status,
        history: (afterStep) => {
          asked.push(afterStep);
          return afterStep === 0 ? run.history : {};
        },
        alignment: () => run.alignment,
      }).route,
    });

  beforeAll(async () => {
    run = await exampleRun(312);
    pictures = kept ?? (await mkdtemp(join(tmpdir(), 'fusemesh-page-')));
    [browser, server] = await Promise.all([startChromium(), start()]);
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    if (kept === undefined) await rm(pictures, { recursive: true });
  });

  const open = async (look: Look) => {
    const opened = await openPage(browser, `http://127.0.0.1:${server.port}/`, look);
    await opened.page.waitForSelector('.alignment .segment');
    return opened;
  };

  it.each(looks)('shows a run: $theme, $width pixels wide', async (look) => {
    const { page, problems } = await open(look);
    await picture(page, 'live', look);
    expect(await page.$eval('.rollouts', (panel) => panel.checkVisibility())).toBe(false);
    expect(await page.title()).toBe('52\u202f% · demo');
    expect(await textsOf(page, 'h1, .state')).toEqual(['demo', 'training']);
    expect(await textsOf(page, '.facts dd')).toEqual(
      ['312 of 600', '3 min 45 s', '293 904', '1 248 of 2 400'].map(thin),
    );
    expect(await textsOf(page, '.speed .figure-value')).toEqual(
      ['1 208', '1 850', '2 140', '1 630', '2 410'].map(thin),
    );
    const { loss, causalLoss, fusionLoss } = run.status.lastStep!;
    const figures = [loss, causalLoss, fusionLoss].map((value) => value.toFixed(3));
    expect(await textsOf(page, '[aria-label^="Loss,"]')).toHaveLength(1);
    expect((await textsOf(page, '.legend .value')).slice(5, 8)).toEqual(figures);
    expect(await textsOf(page, '.chosen td')).toEqual(
      [
        '424 documents',
        '34 %',
        '387 documents',
        '31 %',
        '337 documents',
        '27 %',
        '100 documents',
        '8.0 %',
      ].map(thinShare),
    );
    expect(await textsOf(page, '.pace')).toEqual(['The trainer sets the pace: target waits for room.']);
    expect(await textsOf(page, '.mesh-drawing .title')).toEqual([
      ...[
        'Corpus',
        'Documents',
        'orator',
        'novelist',
        'engineer',
        'target',
        'Distributions',
        'Trainer',
        'Checkpoint',
      ],
    ]);
    expect(await scrollsSideways(page)).toBe(false);
    expect(await drawnCharts(page)).toBe(6);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('asks for what is new only', async () => {
    asked.length = 0;
    const { page } = await open(looks[0]);
    await page.waitForResponse((response) => response.url().endsWith('/api/history?after_step=312'));
    expect(asked[0]).toBe(0);
    await page.close();
  });

  it('shows what is taught about the next token to the pointer and to the keyboard', async () => {
    const { page, problems } = await open(looks[0]);
    const token = run.alignment.target.findIndex(({ candidates }, i) => i > 20 && candidates.length > 1);
    await page.hover(`.tokens button[data-index="${token}"]`);
    const [first] = run.alignment.target[token].candidates;
    const shares = await textsOf(page, '.candidates .value');
    expect(shares).toHaveLength(run.alignment.target[token].candidates.length);
    expect(shares[0]).toBe(`${(100 * first.probability).toFixed(1)}\u202f%`);
    expect(await textsOf(page, '.candidates .follows code')).toEqual([first.text.replaceAll(' ', '·')]);

    const alone = run.alignment.target.findIndex(({ candidates }) => candidates.length === 0);
    await page.focus('.tokens button[data-index="0"]');
    for (let i = 0; i < alone; i++) await page.keyboard.press('ArrowRight');
    expect((await textsOf(page, '.details p'))[1]).toContain('the text alone teaches');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('says so while the trainer is away, and goes on when it is back', async () => {
    const { page } = await open(looks[0]);
    const { port } = server;
    await server.stop();
    await page.waitForFunction(
      `document.querySelector('.answering').textContent.includes('has not answered since')`,
    );
    await picture(page, 'away', looks[0]);
    // Another process, which went on from the checkpoint of step 300.
    run = { ...run, status: exampleStatus(303), history: exampleHistory(303) };
    server = await start(port);
    await page.waitForFunction(`document.querySelector('.answering').textContent === ''`);
    expect((await textsOf(page, '.facts dd'))[0]).toBe('303 of 600');
    const label = await page.$eval('.plot[aria-label^="Loss"]', (plot) => plot.getAttribute('aria-label'));
    expect(label).toContain('steps 1 to 303');
    run = await exampleRun(312);
    await page.close();
  });

  it('shows a trainer that has not begun, and one that waits for a teacher', async () => {
    const { status, history } = run;
    run = {
      ...run,
      history: exampleHistory(0),
      status: { ...exampleStatus(1), state: TrainerState.STARTING },
    };
    run.status.sources[1].attached = false;
    const { page, problems } = await open(looks[0]);
    await page.waitForFunction(`document.querySelector('.state').textContent === 'starting'`);
    await picture(page, 'starting', looks[0]);
    expect(await textsOf(page, '.pace')).toEqual(['The run waits for novelist: not attached.']);
    expect(problems).toEqual([]);
    run = { ...run, status, history };
    await page.close();
  });

  it.each(looks)('shows what the target writes, as plain text: $theme, $width pixels wide', async (look) => {
    const { status, history } = run;
    run = {
      ...run,
      status: { ...status, rollouts: exampleRollouts(312) },
      history: { ...history, rollouts: exampleRolloutHistory(312) },
    };
    const { page, problems } = await open(look);
    await page.waitForSelector('.completion');
    await picture(page, 'on-policy', look);
    expect(await textsOf(page, '.rollouts .figure-value')).toEqual(
      ['812', '38', '25 %', '0.8', '0.412', '3.1 %'].map(thinShare),
    );
    expect(await textsOf(page, '.written')).toEqual(
      run.status.rollouts!.latest.map(({ text }) => text || 'wrote nothing'),
    );
    expect(await textsOf(page, '.judgement th')).toEqual(
      ['orator', 'novelist', 'engineer'].flatMap((judge) => ['the target', judge, 'difference']),
    );
    expect((await textsOf(page, '.judgement td:last-child')).slice(0, 3)).toEqual([
      '−0.912',
      '−1.320',
      '0.408',
    ]);
    expect(await textsOf(page, '.cut')).toHaveLength(2);
    expect(await page.$$('.rollouts img, .rollouts script')).toEqual([]);
    expect(await page.title()).toBe('52\u202f% · demo');
    expect(await scrollsSideways(page)).toBe(false);
    expect(await drawnCharts(page)).toBe(12);
    expect(problems).toEqual([]);
    run = { ...run, status, history };
    await page.close();
  });

  it('keeps the texts while one of them is read', async () => {
    const { status } = run;
    run = { ...run, status: { ...status, rollouts: exampleRollouts(312) } };
    const { page } = await open(looks[0]);
    await page.focus('.written');
    run = { ...run, status: { ...status, rollouts: exampleRollouts(313) } };
    await page.waitForFunction(
      `document.querySelector('.rollouts .quiet').textContent.includes('1\u202f252')`,
    );
    expect((await textsOf(page, '.completion-head'))[0]).toContain('Document 1\u202f247');
    await page.$eval('.written', (text) => text.blur());
    await page.waitForFunction(
      `document.querySelector('.completion-head').textContent.includes('Document 1\u202f251')`,
    );
    run = { ...run, status };
    await page.close();
  });

  it.each(looks)('shows a report from a file: $theme, $width pixels wide', async (look) => {
    const file = join(pictures, 'report.html');
    await writeFile(file, await reportDocument(exampleReport(run)));
    const { page, problems } = await openPage(browser, pathToFileURL(file).href, look);
    await picture(page, 'report', look);
    expect(await textsOf(page, 'h1, .state')).toEqual(['demo', 'finished']);
    expect(await textsOf(page, '.facts dd')).toEqual(['312', '293 904', '4 min 3 s', '1 209'].map(thin));
    expect(await textsOf(page, '.result-table tbody th, .result-table td')).toEqual([
      ...['speeches', '2.320', '1.755', '−24.4\u202f%', '1.702', '2.660'],
      ...['</script><b>', '2.410', '2.500', '+3.7\u202f%', '2.700', '1.880'],
    ]);
    expect(await textsOf(page, '.result-table .best')).toEqual(['1.702', '1.880']);
    expect(await drawnCharts(page)).toBe(8);
    expect(await scrollsSideways(page)).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each(looks)('shows in a report what the target wrote: $theme, $width pixels wide', async (look) => {
    const file = join(pictures, 'on-policy-report.html');
    const history = { ...run.history, rollouts: exampleRolloutHistory(312) };
    await writeFile(file, await reportDocument(exampleReport({ ...run, history })));
    const { page, problems } = await openPage(browser, pathToFileURL(file).href, look);
    await picture(page, 'on-policy-report', look);
    const [note] = await textsOf(page, '.rollouts .panel-head p');
    expect(note).toMatch(/^1\u202f208 completions, 4\d\u202f\d{3} tokens$/);
    expect(await drawnCharts(page)).toBe(14);
    expect(await scrollsSideways(page)).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  });

  const picture = (page: Page, name: string, { theme, width }: Look) =>
    page.screenshot({
      path: join(pictures, `${name}-${theme}-${width}.png`) as `${string}.png`,
      fullPage: true,
    });
});

/** Ordinary spaces between digits and before units as the page writes them. */
const thin = (text: string): string => text.replaceAll(/(?<=\d) (?=\d)|(?<=\d) (?=%|s\b|min\b)/g, '\u202f');

const thinShare = (text: string): string => text.replace(' %', '\u202f%');

const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''));

const scrollsSideways = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** Charts on whose canvas something is drawn; one that is hidden has no width. */
const drawnCharts = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('canvas')].filter((canvas) => {
    if (canvas.width === 0) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  }).length`);

function exampleReport({ history }: ExampleRun): ReportData {
  return {
    run: 'demo',
    finished: true,
    written: '2026-01-12T10:00:00.000Z',
    totals: { steps: 312, tokens: 293_904, seconds: 243.1 },
    teachers: ['orator', 'novelist', 'engineer', 'target'],
    chosen: { orator: 424, novelist: 387, engineer: 337, target: 100 },
    domains: [
      { name: 'speeches', before: 2.32, after: 1.755, teachers: { orator: 1.702, novelist: 2.66 } },
      { name: '</script><b>', before: 2.41, after: 2.5, teachers: { orator: 2.7, novelist: 1.88 } },
    ],
    history: toJson(GetHistoryResponseSchema, history),
    settings: [{ title: 'Models', rows: [['target', 'zoo/target']] }],
  };
}
