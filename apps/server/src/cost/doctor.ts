import { access, constants, statfs } from 'node:fs/promises';
import type { DoctorReport } from '@cloutagent/contract';
import type { Workbench } from '../workbench.ts';

/** Prices change several times a year. */
const STALE_DAYS = 120;
/** Less free space than this stops a run within a day. */
const LEAST_FREE_BYTES = 200 * 1024 * 1024;

type Check = DoctorReport['checks'][number];

/** Looks at the stored data and at what runs need; a check that fails says how to mend it. */
export const examine = async (bench: Workbench): Promise<DoctorReport> => {
  const { settings, store, clock, dataDir } = bench;
  const problems = await store.checkInvariants();
  const project = await bench.describeProject();
  const { prices } = await bench.laneDeps();
  const age = Math.floor((clock.now() - Date.parse(prices.asOf)) / 86_400_000);
  const failed = (await store.undelivered('webhook')).filter(({ attempts }) => attempts > 0).length;
  const checks: Check[] = [
    {
      name: 'ledger',
      ok: problems.length === 0,
      detail:
        problems.length === 0
          ? 'spent equals the settled ledger and held the open reservations, at every budget; every row belongs to a run'
          : `${problems.join('; ')}. Stop the server and go back to a backup: docs/backup.md`,
    },
    {
      name: 'limits',
      ok: settings.costs.enforced,
      detail: settings.costs.enforced
        ? 'cost limits hold'
        : 'cost limits are only recorded: unset ENABLE_COST_LIMITS to hold them',
    },
    {
      name: 'prices',
      ok: age <= STALE_DAYS,
      detail:
        age <= STALE_DAYS
          ? `prices are of ${prices.asOf}`
          : `prices are of ${prices.asOf}, ${age} days old: update CloutAgent, or write prices.json into the data folder`,
    },
    {
      name: 'alerts',
      ok: failed === 0,
      detail:
        settings.costs.webhook === undefined
          ? 'alerts go to the log and the page; COST_ALERT_WEBHOOK_URL sends them elsewhere too'
          : failed === 0
            ? 'every alert reached the webhook'
            : `${failed} alerts did not reach the webhook yet; they are sent again`,
    },
    await folderCheck(dataDir),
    await spaceCheck(dataDir),
    {
      name: 'project',
      ok: project.hasOpenspec,
      detail: project.hasOpenspec
        ? `${project.name} has an openspec folder`
        : 'there is no openspec folder: clout init',
    },
    {
      name: 'model',
      // Without a key the simulator works, so nothing is broken.
      ok: true,
      detail:
        settings.anthropic.apiKey === undefined
          ? 'no key is set: runs need --simulate, ANTHROPIC_API_KEY, or ANTHROPIC_API_URL of a local server'
          : `calls go to ${settings.anthropic.url}`,
    },
    { name: 'node', ok: true, detail: `Node ${process.versions.node}` },
  ];
  return { ok: checks.every(({ ok }) => ok), checks };
};

const folderCheck = async (dataDir: string): Promise<Check> => {
  const ok = await access(dataDir, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { name: 'data folder', ok, detail: ok ? `${dataDir} can be written` : `${dataDir} cannot be written` };
};

const spaceCheck = async (dataDir: string): Promise<Check> => {
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const ok = free >= LEAST_FREE_BYTES;
  const detail = `${Math.floor(free / (1024 * 1024))} MB are free${ok ? '' : '; runs pause when the disk is full'}`;
  return { name: 'disk', ok, detail };
};
