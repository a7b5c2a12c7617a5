/** Money over six levels and calendar periods, what an answer's start proves, and alerts (migration of `migrations.ts`). */
export const MONEY_LEVELS: readonly string[] = [
  `CREATE TABLE run_level_2 (
       run_id TEXT NOT NULL REFERENCES run (id),
       project_id TEXT NOT NULL,
       scope TEXT NOT NULL,
       budget_id TEXT NOT NULL,
       place TEXT NOT NULL,
       PRIMARY KEY (run_id, place, scope, budget_id)
     )`,
  `INSERT INTO run_level_2 SELECT run_id, project_id, scope, budget_id, '' FROM run_level`,
  `DROP TABLE run_level`,
  `ALTER TABLE run_level_2 RENAME TO run_level`,
  `CREATE INDEX run_level_budget ON run_level (scope, budget_id)`,
  // `slot` is empty for the row of all time; a day's, week's or month's row exists where that has a limit.
  `CREATE TABLE budget_2 (
       scope TEXT NOT NULL CHECK (scope IN ('task', 'run', 'change', 'user', 'project', 'global')),
       id TEXT NOT NULL,
       slot TEXT NOT NULL,
       period TEXT NOT NULL CHECK (period IN ('lifetime', 'day', 'week', 'month')),
       limit_nano BIGINT CHECK (limit_nano IS NULL OR limit_nano BETWEEN 0 AND 9007199254740991),
       spent_nano BIGINT NOT NULL CHECK (spent_nano BETWEEN 0 AND 9007199254740991),
       held_nano BIGINT NOT NULL CHECK (held_nano BETWEEN 0 AND 9007199254740991),
       PRIMARY KEY (scope, id, slot)
     )`,
  `INSERT INTO budget_2 SELECT scope, id, '', 'lifetime', limit_nano, spent_nano, held_nano FROM budget`,
  `DROP TABLE budget`,
  `ALTER TABLE budget_2 RENAME TO budget`,
  // What the row of each new day, week or month gets as its limit.
  `CREATE TABLE budget_limit (
       scope TEXT NOT NULL,
       id TEXT NOT NULL,
       period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month')),
       limit_nano BIGINT NOT NULL CHECK (limit_nano BETWEEN 0 AND 9007199254740991),
       PRIMARY KEY (scope, id, period)
     )`,
  // Percent 0 alone says that no alert is wanted.
  `CREATE TABLE alert_threshold (
       scope TEXT NOT NULL,
       id TEXT NOT NULL,
       period TEXT NOT NULL,
       percent BIGINT NOT NULL CHECK (percent >= 0),
       PRIMARY KEY (scope, id, period, percent)
     )`,
  `CREATE TABLE limit_change (
       place BIGINT PRIMARY KEY,
       scope TEXT NOT NULL,
       id TEXT NOT NULL,
       period TEXT NOT NULL,
       before_nano BIGINT,
       after_nano BIGINT,
       changed_by TEXT NOT NULL,
       at BIGINT NOT NULL
     )`,
  `CREATE TABLE cost_alert (
       place BIGINT PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       kind TEXT NOT NULL CHECK (kind IN ('threshold', 'bound-violated')),
       scope TEXT NOT NULL,
       budget_id TEXT NOT NULL,
       period TEXT NOT NULL,
       slot TEXT NOT NULL,
       percent BIGINT NOT NULL,
       limit_nano BIGINT NOT NULL,
       spent_nano BIGINT NOT NULL,
       held_nano BIGINT NOT NULL,
       run_id TEXT NOT NULL,
       at BIGINT NOT NULL
     )`,
  `CREATE TABLE alert_delivery (
       alert_place BIGINT NOT NULL REFERENCES cost_alert (place),
       channel TEXT NOT NULL,
       attempts BIGINT NOT NULL,
       next_at BIGINT NOT NULL,
       done_at BIGINT,
       error TEXT,
       PRIMARY KEY (alert_place, channel)
     )`,
  `ALTER TABLE reservation ADD COLUMN node TEXT NOT NULL DEFAULT ''`,
  `ALTER TABLE reservation ADD COLUMN day TEXT NOT NULL DEFAULT ''`,
  `ALTER TABLE reservation ADD COLUMN week TEXT NOT NULL DEFAULT ''`,
  `ALTER TABLE reservation ADD COLUMN month TEXT NOT NULL DEFAULT ''`,
  `CREATE INDEX reservation_time ON reservation (project_id, created_at)`,
  // What the start of an answer proves of its cost, so that a crash does not book the whole bound.
  `CREATE TABLE reservation_proof (
       reservation_id TEXT PRIMARY KEY REFERENCES reservation (id),
       project_id TEXT NOT NULL,
       run_id TEXT NOT NULL REFERENCES run (id),
       bound_nano BIGINT NOT NULL CHECK (bound_nano >= 0),
       input_tokens BIGINT NOT NULL,
       cache_read_tokens BIGINT NOT NULL,
       cache_write_5m_tokens BIGINT NOT NULL,
       cache_write_1h_tokens BIGINT NOT NULL,
       request_id TEXT,
       at BIGINT NOT NULL
     )`,
  `ALTER TABLE settlement ADD COLUMN web_searches BIGINT`,
  `ALTER TABLE settlement ADD COLUMN traits TEXT`,
  `ALTER TABLE run ADD COLUMN started_by TEXT NOT NULL DEFAULT ''`,
];
