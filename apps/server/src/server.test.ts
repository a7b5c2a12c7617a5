import { mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, findServer, startServer, type Environment, type RunningServer } from './index.ts';

const CLOUT = fileURLToPath(new URL('../../cli/bin/clout.mjs', import.meta.url));

let root: string;
let server: RunningServer | undefined;

const start = async (environment: Environment = {}, folder = root): Promise<RunningServer> => {
  server = await startServer({
    root: folder,
    port: 0,
    host: '127.0.0.1',
    environment: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: path.join(root, 'config'), ...environment },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate'],
  });
  return server;
};

type Json = Record<string, unknown> & { error: { code: string; hint: string; message: string } };

const call = async (method: string, where: string, options: { body?: unknown; token?: string } = {}) => {
  const answer = await fetch(`${server?.url ?? ''}${where}`, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  // Answers of an untyped wire: each test names what it expects of them.
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json };
};

const openChange = async (slug: string, tasks: string): Promise<void> => {
  await call('POST', '/api/changes', { body: { title: 'A page', slug, template: 'feature' } });
  await writeFile(path.join(root, 'openspec/changes', slug, 'tasks.md'), tasks);
};

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-server-')));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

describe('a server', () => {
  it('[T5.token-file] owns its data folder, says where it is, and gives it back', async () => {
    const { url, token, close } = await start();
    const dataDir = path.join(root, '.cloutagent');
    expect(await findServer(dataDir)).toEqual({ url, token });
    expect((await stat(path.join(dataDir, 'token'))).mode & 0o777).toBe(0o600);
    await expect(start()).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    await close();
    expect(await findServer(dataDir)).toBeUndefined();
    await start();
    expect((await readFile(path.join(dataDir, 'token'), 'utf8')).trim()).toBe(token);
  });

  it('lets callers of this machine read and run, and only the administrator raise a budget [H7] [T5.admin]', async () => {
    const { token } = await start();
    const scopes = async (own?: string) =>
      (await call('GET', '/api/meta', own === undefined ? {} : { token: own })).body['principal'];
    expect(await scopes()).toMatchObject({ scopes: ['read', 'run'] });
    expect(await scopes('devtoken')).toMatchObject({ scopes: ['read', 'run'] });
    expect(await scopes(token)).toMatchObject({ scopes: ['read', 'run', 'admin'] });
    expect((await call('POST', '/api/session', { body: { token: 'wrong' } })).body.error.code).toBe(
      'AUTHENTICATION_FAILED',
    );
    const login = await call('POST', '/api/session', { body: { token } });
    expect(login.headers.get('set-cookie')).toMatch(
      /^task-mcp-auth=.+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/u,
    );
  });

  it('[T5.bearer] is found by its owner also where callers need a token', async () => {
    const { url, token } = await start({ AUTH_TOKENS: 'somebody' });
    expect(await findServer(path.join(root, '.cloutagent'))).toEqual({ url, token });
    expect((await call('GET', '/api/meta')).status).toBe(401);
    expect((await call('GET', '/api/proof?challenge=short')).body.error.code).toBe('INVALID_INPUT');
  });

  it('[T5.cookie] trades a token for a cookie where callers need one, also for an old cookie', async () => {
    const { url } = await start({ AUTH_TOKENS: 'somebody' });
    const session = (method: string, token?: string) =>
      fetch(`${url}/api/session`, {
        method,
        headers: { 'content-type': 'application/json', origin: url, cookie: 'task-mcp-auth=old' },
        ...(token === undefined ? {} : { body: JSON.stringify({ token }) }),
      });
    expect((await session('POST', 'wrong')).status).toBe(401);
    const login = await session('POST', 'somebody');
    expect([login.status, await login.json()]).toEqual([
      200,
      { name: expect.any(String) as string, scopes: ['read', 'run'] },
    ]);
    const [cookie = ''] = login.headers.get('set-cookie')?.split(';') ?? [];
    expect((await fetch(`${url}/api/meta`, { headers: { cookie } })).status).toBe(200);
    const logout = await session('DELETE');
    expect([logout.status, logout.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')]);
  });

  it('[T19.workdir] creates nothing where the folder is a typo', async () => {
    const typo = path.join(root, 'typo');
    await expect(start({}, typo)).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' });
    await expect(stat(typo)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says once, in its own words, that the port is taken', async () => {
    const { url } = await start();
    const said: string[] = [];
    const other = path.join(root, 'other');
    await mkdir(other);
    const second = startServer({
      root: other,
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      environment: {},
      user: 'ann',
      log: (_level, message) => void said.push(message),
      simulatorCommand: ['false'],
    });
    await expect(second).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(said).toEqual([]);
  });

  it('refuses to listen to others without tokens', async () => {
    const refused = startServer({
      root,
      port: 0,
      host: '0.0.0.0',
      environment: {},
      user: 'ann',
      log: createLog('silent'),
      simulatorCommand: ['false'],
    });
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each([
    ['GET', '/api/changes/no-such-change', undefined, 404, 'CHANGE_NOT_FOUND'],
    ['GET', '/api/changes/..%2f..%2fetc', undefined, 400, 'INVALID_INPUT'],
    ['GET', '/api/runs/run_0', undefined, 404, 'RUN_NOT_FOUND'],
    ['GET', '/api/nothing', undefined, 404, 'NOT_FOUND'],
    ['DELETE', '/api/changes', undefined, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/api/changes?limit=0', undefined, 400, 'INVALID_INPUT'],
    ['POST', '/api/changes', { title: 'x', slug: 'Bad Slug' }, 400, 'INVALID_INPUT'],
    ['POST', '/api/changes', { title: 'x', slug: 'a-change', template: 'epic' }, 404, 'TEMPLATE_NOT_FOUND'],
    ['POST', '/api/runs', { slug: 'no-such-change', simulate: true }, 404, 'CHANGE_NOT_FOUND'],
    ['POST', '/api/runs', { slug: 'no-such-change' }, 422, 'MODEL_KEY_MISSING'],
    ['POST', '/api/runs', { slug: 'x', budget: 'much' }, 400, 'INVALID_INPUT'],
    ['POST', '/api/runs', { slug: 'x', budget: '9999999' }, 400, 'INVALID_INPUT'],
    ['POST', '/api/runs', { slug: 'x', bugdet: '1' }, 400, 'INVALID_INPUT'],
    ['POST', '/api/runs', undefined, 400, 'INVALID_INPUT'],
    ['POST', '/api/runs/run_0/resume', undefined, 404, 'RUN_NOT_FOUND'],
    ['POST', '/api/runs/run_0/resume', { unkown: 'skip' }, 400, 'INVALID_INPUT'],
  ])('%s %s %j is %i %s [T10.table]', async (method, where, body, status, code) => {
    await start();
    const answer = await call(method, where, body === undefined ? {} : { body });
    expect({ status: answer.status, code: answer.body.error.code }).toEqual({ status, code });
    expect(answer.body.error.hint).not.toBe('');
    expect(JSON.stringify(answer.body)).not.toContain(root);
  });

  it('keeps a lease for its owner, whoever of this machine calls', async () => {
    const { token } = await start();
    const opened = await call('POST', '/api/changes', {
      body: { title: 'Held', slug: 'held-change', ttl: 3600, owner: 'team' },
    });
    expect(opened.status).toBe(201);
    expect((await call('POST', '/api/changes/held-change/archive', { body: {}, token })).status).toBe(200);
  });
});

describe('a run over HTTP', () => {
  const TASKS =
    '- [ ] 1.1 Write it\n  - check: file out/a.txt contains "A"\n- [ ] 1.2 Write more\n  - check: file out/b.txt exists\n';

  const frames = async (
    runId: string,
    after = 0,
  ): Promise<{ event: string; id: number; data: Record<string, never> }[]> => {
    const answer = await fetch(`${server?.url ?? ''}/api/runs/${runId}/events?after=${after}`);
    const text = await answer.text();
    return text
      .split('\n\n')
      .filter((frame) => frame.startsWith('event: '))
      .map((frame) => ({
        event: /^event: (.*)$/mu.exec(frame)?.[1] ?? '',
        id: Number(/^id: (.*)$/mu.exec(frame)?.[1] ?? 0),
        data: JSON.parse(/^data: (.*)$/mu.exec(frame)?.[1] ?? 'null') as Record<string, never>,
      }));
  };

  it('streams until its end, gap-free from any point, and archives with a receipt [X3.receipt]', async () => {
    await start();
    await openChange('add-files', TASKS);
    const begun = await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true } });
    expect(begun.status).toBe(201);
    const runId = String(begun.body['id']);
    const all = (await frames(runId)).filter((frame) => frame.event === 'run');
    expect(all.map((frame) => frame.id)).toEqual(all.map((_, index) => index + 1));
    expect(all.at(-1)?.data['body']).toMatchObject({ type: 'run.state', status: 'completed' });
    const rest = await frames(runId, 5);
    expect(rest[0]?.id).toBe(6);
    expect(rest.length).toBe(all.length - 5);
    expect(await readFile(path.join(root, 'out/a.txt'), 'utf8')).toContain('A');
    const detail = await call('GET', `/api/runs/${runId}`);
    expect(detail.body['run']).toMatchObject({ status: 'completed', simulated: true, money: { held: { nanoUsd: 0 } } });
    const archived = await call('POST', '/api/changes/add-files/archive', { body: { allowIncomplete: false } });
    expect(archived.body.error?.code ?? archived.status).toBe(200);
    const receipt = JSON.parse(await readFile(path.join(root, String(archived.body['receiptPath'])), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(receipt).toMatchObject({ by: 'ann', ledger: 'consulted', runs: [{ id: runId, status: 'completed' }] });
  });

  it('pauses between calls when its budget ends; only an administrator raises it; nothing is repeated [X1.pause, T5.admin]', async () => {
    const { token } = await start();
    await openChange('add-files', TASKS);
    const plan = await call('GET', '/api/changes/add-files/plan?simulate=true');
    const expected = (plan.body['expected'] as { nanoUsd: number }).nanoUsd;
    const budget = (expected / 2 / 1e9).toFixed(9);
    const runId = String(
      (await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true, budget } })).body['id'],
    );
    const run = async () => (await call('GET', `/api/runs/${runId}`)).body['run'] as Record<string, unknown>;
    await expect.poll(async () => (await run())['status'], { timeout: 15_000 }).toBe('paused');
    expect(await run()).toMatchObject({ reason: { code: 'BUDGET_EXHAUSTED' } });
    const early = await call('POST', '/api/changes/add-files/archive', { body: { allowIncomplete: true } });
    expect(early.body.error).toMatchObject({ code: 'RUN_EXISTS', hint: expect.stringContaining(`cancel ${runId}`) });
    expect((await call('GET', '/api/changes/add-files')).status).toBe(200);
    const before = (await run())['counts'] as { modelCalls: number };
    expect((await call('POST', `/api/runs/${runId}/resume`, { body: { budget: '1' } })).body.error.code).toBe(
      'FORBIDDEN',
    );
    expect((await call('POST', `/api/runs/${runId}/resume`, { body: { budget: '1' }, token })).status).toBe(200);
    await expect.poll(async () => (await run())['status'], { timeout: 15_000 }).toBe('completed');
    const log = (await readFile(path.join(root, '.cloutagent/simulator/requests.jsonl'), 'utf8')).trim().split('\n');
    const after = (await run())['counts'] as { modelCalls: number };
    expect(after.modelCalls).toBeGreaterThan(before.modelCalls);
    expect(log.length).toBe(after.modelCalls);
    expect((await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true } })).body.error.code).toBe(
      'NOTHING_TO_RUN',
    );
  });

  it('can be cancelled, and then started anew', async () => {
    await start();
    await mkdir(path.join(root, 'openspec'), { recursive: true });
    await openChange('add-files', TASKS);
    const runId = String((await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true } })).body['id']);
    expect((await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true } })).body.error.code).toBe(
      'RUN_EXISTS',
    );
    const cancelled = await call('POST', `/api/runs/${runId}/cancel`, { body: {} });
    expect(cancelled.body['status']).toBe('cancelled');
    expect(cancelled.body['money']).toMatchObject({ held: { nanoUsd: 0 } });
    expect((await call('POST', `/api/runs/${runId}/resume`, { body: {} })).body.error.code).toBe('RUN_NOT_RESUMABLE');
    expect((await call('POST', '/api/runs', { body: { slug: 'add-files', simulate: true } })).status).toBe(201);
  });
});
