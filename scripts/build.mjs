import './support/require-node.mjs';
import { compile } from './support/compile.mjs';
import { ensureInstalled } from './support/install.mjs';

// npm run build: builds what is missing or stale.
const done = (await ensureInstalled()) && (await compile());
process.exitCode = done ? 0 : 1;
