import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';
import { selfSigned } from './self-signed.ts';
import { readFrontSettings } from './settings.ts';

describe('settings of a front', () => {
  it('[T12.rate, T14.timeout] have the defaults of the seed', async () => {
    expect(await readFrontSettings({})).toEqual({
      tokens: { user: [], admin: [] },
      allowedOrigins: [],
      trustedProxies: [],
      securityHeaders: true,
      maxResponseBytes: 1024 * 1024,
      requestTimeoutMs: 30_000,
      rateLimit: { rate: 60, burst: 90, windowMs: 60_000 },
    });
  });

  it('[T12.rate, T12.redis, T12.proxies, T13.switch] follow the environment', async () => {
    const settings = await readFrontSettings({
      AUTH_TOKENS: 'a, b',
      ADMIN_TOKENS: 'c',
      ALLOWED_ORIGINS: 'http://localhost:3000',
      TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8',
      RATE_LIMIT: '10',
      RATE_LIMIT_BURST: '20',
      RATE_LIMIT_WINDOW_MS: '1000',
      ENABLE_DISTRIBUTED_RATE_LIMIT: 'true',
      REDIS_URL: 'redis://127.0.0.1:6379',
      REQUEST_TIMEOUT_MS: '500',
      MAX_RESPONSE_SIZE_KB: '10',
      SECURITY_HEADERS_ENABLED: 'false',
      METRICS_BIND: '127.0.0.1:9464',
    });
    expect(settings).toEqual({
      tokens: { user: ['a', 'b'], admin: ['c'] },
      allowedOrigins: ['http://localhost:3000'],
      trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
      securityHeaders: false,
      maxResponseBytes: 10_240,
      requestTimeoutMs: 500,
      rateLimit: { rate: 10, burst: 20, windowMs: 1000, redisUrl: 'redis://127.0.0.1:6379' },
      metricsBind: { host: '127.0.0.1', port: 9464 },
    });
    expect(await readFrontSettings({ NODE_ENV: 'production' })).toMatchObject({ debugHeader: false });
    expect(await readFrontSettings({ NODE_ENV: 'development' })).not.toHaveProperty('debugHeader');
    const off = await readFrontSettings({ RATE_LIMIT: '0', REQUEST_TIMEOUT_MS: '0', REDIS_URL: 'redis://x' });
    expect([off.rateLimit, off.requestTimeoutMs]).toEqual([undefined, undefined]);
  });

  it.each([
    { RATE_LIMIT: '-1' },
    { RATE_LIMIT: 'many' },
    { RATE_LIMIT_BURST: '0' },
    { RATE_LIMIT_WINDOW_MS: '0' },
    { REQUEST_TIMEOUT_MS: '1.5' },
    { SECURITY_HEADERS_ENABLED: 'perhaps' },
    { ENABLE_DISTRIBUTED_RATE_LIMIT: 'true', REDIS_URL: '' },
    { ENABLE_DISTRIBUTED_RATE_LIMIT: 'true', REDIS_URL: 'http://secret:canary@127.0.0.1' },
    { TLS_CERT_FILE: '/nowhere/cert.pem' },
    { TLS_KEY_FILE: '/nowhere/key.pem' },
    { METRICS_BIND: '0.0.0.0:9464' },
    { METRICS_BIND: '127.0.0.1' },
  ])('refuse %o and name the variable', async (environment) => {
    const names = new RegExp(Object.keys(environment).join('|').replace('TLS_KEY_FILE', 'TLS_CERT_FILE'), 'u');
    const error: unknown = await readFrontSettings(environment).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', message: expect.stringMatching(names) as string });
    expect(String(error)).not.toContain('canary');
  });

  it('[T19.tls] read certificate and key from TLS_CERT_FILE and TLS_KEY_FILE', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    try {
      const { cert, key } = selfSigned();
      const files = { TLS_CERT_FILE: join(folder, 'cert.pem'), TLS_KEY_FILE: join(folder, 'key.pem') };
      await writeFile(files.TLS_CERT_FILE, cert);
      await writeFile(files.TLS_KEY_FILE, key);
      const { tls } = await readFrontSettings(files);
      if (tls === undefined) throw new Error('no TLS');
      await using running = await start([], { tls });
      expect(running.url).toMatch(/^https:/u);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
