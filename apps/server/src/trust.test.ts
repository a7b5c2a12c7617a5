import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTrusted, listTrusted, trust, untrust } from './trust.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-trust-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('trust', () => {
  it('is given to one real folder, remembered outside of it, and can be taken back', async () => {
    const environment = { XDG_CONFIG_HOME: path.join(folder, 'config') };
    const project = path.join(folder, 'project');
    await mkdir(path.join(project, 'inner'), { recursive: true });
    await symlink(project, path.join(folder, 'link'));
    expect(await isTrusted(project, environment)).toBe(false);
    expect(await trust(path.join(folder, 'link'), environment)).toBe(project);
    expect(await isTrusted(project, environment)).toBe(true);
    expect(await isTrusted(path.join(project, 'inner'), environment)).toBe(false);
    expect(await listTrusted(environment)).toEqual([project]);
    expect(await untrust(project, environment)).toBe(true);
    expect(await untrust(project, environment)).toBe(false);
    expect(await isTrusted(project, environment)).toBe(false);
  });

  it('is nobody’s where no home is known', async () => {
    expect(await isTrusted(folder, {})).toBe(false);
    await expect(trust(folder, {})).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });
});
