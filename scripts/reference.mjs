import './support/require-node.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { compile } from './support/compile.mjs';
import { ensureInstalled } from './support/install.mjs';
import { ROOT } from './support/run.mjs';

// npm run reference: writes docs/reference from the built contract and command line.
if ((await ensureInstalled()) && (await compile())) {
  const { makeReference } = await import('./support/reference.mjs');
  const { makeCliReference } = await import('./support/cli-reference.mjs');
  mkdirSync(`${ROOT}docs/reference`, { recursive: true });
  const pages = { ...makeReference(), 'cli.md': makeCliReference() };
  for (const [name, text] of Object.entries(pages)) writeFileSync(`${ROOT}docs/reference/${name}`, text);
} else {
  process.exitCode = 1;
}
