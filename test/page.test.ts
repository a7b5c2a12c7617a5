import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTempProject } from './support/project.ts';
import { startProgram } from './support/program.ts';
import { missing } from './support/tools.ts';

/** A root user's sandbox and background traffic are of no use in a test. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const MINUTE = 60_000;

describe.skipIf(missing('chromium'))('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  }, MINUTE);
  afterAll(() => browser.close());

  it(
    '[X9.live-run X7.marked] lists changes, runs one on the simulator and shows it live',
    async () => {
      using project = openTempProject();
      const server = startProgram('clout', ['up', '--port', '0', '--json'], project);
      const line = await server.line((text) => text.includes('"url"'));
      const { url } = JSON.parse(line ?? '{}') as { url: string };
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      try {
        await page.goto(url);
        await page.getByText('Add a greeting page').first().click();
        await page.getByText('add-greeting-page').first().waitFor();
        const started = await fetch(`${url}/api/runs`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ slug: 'add-greeting-page', simulate: true }),
        });
        const { id } = (await started.json()) as { id: string };
        await page.goto(`${url}/runs/${id}`);
        await page.getByText('completed', { exact: false }).first().waitFor({ timeout: 30_000 });
        const text = await page.locator('body').innerText();
        expect(text).toMatch(/simulated/iu);
        expect(text).toContain('1.1');
        expect(problems).toEqual([]);
      } finally {
        await page.close();
        server.kill('SIGTERM');
        await server.ended;
      }
    },
    MINUTE,
  );
});
