import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTempProject, type TempProject } from './support/project.ts';
import { cloutJson, startProgram } from './support/program.ts';
import { missing } from './support/tools.ts';

const ASKING = fileURLToPath(new URL('support/asking-server.mjs', import.meta.url));

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

/** The project on a server of its own, which ends with the scope. */
const served = async (project: TempProject) => {
  const server = startProgram('clout', ['up', '--port', '0', '--json'], project);
  const line = await server.line((text) => text.includes('"url"'));
  const { url } = JSON.parse(line ?? '{}') as { url: string };
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM');
      await server.ended;
    },
  };
};

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
      await using server = await served(project);
      const { url } = server;
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
      }
    },
    MINUTE,
  );

  it(
    '[E6.elicitation] answers what a server asks on the page of its run',
    async () => {
      using project = openTempProject();
      mkdirSync(join(project.root, '.cloutagent'), { mode: 0o700 });
      writeFileSync(join(project.root, '.cloutagent/config.yaml'), 'run: { mcpServers: [asking] }\n');
      await using server = await served(project);
      const { url } = server;
      const command = ['--command', process.execPath, '--args', ASKING, 'legacy', join(project.root, 'calls.txt')];
      await cloutJson(['mcp', 'add', '--id', 'asking', ...command], project);
      const page = await browser.newPage();
      const start = async (tool: string): Promise<void> => {
        const nodes = [{ id: 'a', type: 'tool', data: { server: 'asking', tool } }];
        const started = await fetch(`${url}/api/workflow-runs`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ workflow: { nodes, edges: [] }, simulate: true }),
        });
        const { id } = (await started.json()) as { id: string };
        await page.goto(`${url}/runs/${id}`);
      };
      try {
        await start('deploy');
        const question = page.getByRole('region', { name: 'asking asks: Which branch?' });
        await question.getByRole('textbox', { name: /answer as JSON/u }).fill('{"branch":7}');
        await question.getByRole('button', { name: 'Approve as edited' }).click();
        await question.getByText('branch must be a text').waitFor();
        await question.getByRole('textbox', { name: /answer as JSON/u }).fill('{"branch":"main"}');
        await question.getByRole('button', { name: 'Approve as edited' }).click();
        await page.getByText('completed', { exact: false }).first().waitFor({ timeout: 30_000 });
        expect(await question.count()).toBe(0);

        await start('sign-in');
        const link = page.getByRole('link', { name: 'https://example.test/sign-in?for=deploy' });
        await link.waitFor();
        expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
        await page.getByRole('button', { name: 'Deny' }).click();
        await page.getByText('completed', { exact: false }).first().waitFor({ timeout: 30_000 });
      } finally {
        await page.close();
      }
    },
    MINUTE,
  );

  it(
    '[E12.alerts] sets a limit on the page of costs and says once when a share of it is spent',
    async () => {
      using project = openTempProject();
      await using server = await served(project);
      const { url } = server;
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      try {
        await page.goto(`${url}/costs?money=simulated`);
        await page.getByText('Nothing was spent in the last thirty days').waitFor();
        const token = readFileSync(join(project.root, '.cloutagent/token'), 'utf8').trim();
        await page.request.post(`${url}/api/session`, { data: { token } });
        await page.getByRole('link', { name: 'Set a limit' }).click();
        await page.getByRole('textbox', { name: 'Limit in dollars' }).fill('a lot');
        await page.keyboard.press('Enter');
        await page.getByText('An amount such as 0.50').waitFor();
        await page.getByRole('textbox', { name: 'Limit in dollars' }).fill('0.05');
        await page.getByRole('textbox', { name: 'Alert at percent of it' }).fill('1');
        await page.keyboard.press('Enter');
        await page.getByRole('meter', { name: /^This project, day/u }).waitFor();

        const nodes = [{ id: 'a', type: 'agent', data: { prompt: `Say why, at length. ${'Because. '.repeat(200)}` } }];
        const started = await fetch(`${url}/api/workflow-runs`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ workflow: { nodes, edges: [] }, simulate: true }),
        });
        expect(started.status).toBe(201);
        const notice = page.getByRole('status').filter({ hasText: '1 % of the budget is spent' });
        await notice.waitFor({ timeout: 20_000 });
        expect(await page.getByRole('listitem').filter({ hasText: '1 % of the budget' }).count()).toBe(1);
        await page.getByRole('row', { name: /claude/u }).waitFor();
        await page.getByRole('button', { name: 'Put this alert away' }).click();
        // What was put away is not asked for again.
        const asked = page.waitForResponse((response) => /alerts\?after=[1-9]/u.test(response.url()));
        await page.reload();
        await asked;
        await page.getByRole('listitem').filter({ hasText: '1 % of the budget' }).waitFor();
        expect(await notice.count()).toBe(0);
        expect(problems).toEqual([]);
      } finally {
        await page.close();
      }
    },
    MINUTE,
  );
});
