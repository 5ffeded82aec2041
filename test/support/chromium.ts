import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, launch, type Page } from 'puppeteer-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser on this machine; undefined where there is none. */
export const chromium: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/**
 * Starts the browser without a window, and without its sandbox, which does not work as root: for our own pages only.
 * It finds no name, or it would look for its maker's servers.
 */
export const startChromium = (): Promise<Browser> =>
  launch({
    executablePath: chromium!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });

/** How a page is displayed. */
export interface Look {
  readonly theme: 'light' | 'dark';
  /** In pixels. */
  readonly width: number;
}

/** A page of a browser, and what went wrong in it: errors, refused loads, requests to other hosts. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme, width }: Look,
): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && (protocol !== new URL(url).protocol || host !== new URL(url).host)) {
      problems.push(`asks ${request.url()}`);
    }
  });
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.goto(url);
  return { page, problems };
}
