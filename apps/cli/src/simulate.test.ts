import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));

test('[X7.profiles] the simulator enforces the server that --profile names, at the pace that is asked for', async () => {
  const words = ['simulate', '--exit-with-stdin', '--profile', 'litellm', '--tokens-per-second', '100'];
  const child = spawn(process.execPath, [BIN, ...words], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'qwen', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }),
    });
  expect(await (await fetch(url)).json()).toMatchObject({ profile: 'litellm', delays: { perTokenMs: 10 } });
  expect((await post({ 'x-api-key': 'k' })).status).toBe(401);
  expect((await post({ authorization: 'Bearer k' })).status).toBe(200);
  child.stdin.end();
  expect(await once(child, 'close')).toEqual([0, null]);
});
