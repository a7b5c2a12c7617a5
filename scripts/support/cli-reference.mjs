import { execFileSync } from 'node:child_process';
import { GENERATED } from './reference.mjs';
import { ROOT } from './run.mjs';

const helpOf = (command) =>
  execFileSync(process.execPath, [`${ROOT}apps/cli/bin/clout.mjs`, ...command, '--help'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
    cwd: ROOT,
  }).trimEnd();

/** Names below `Commands:`; their descriptions are indented deeper. */
const subcommandsOf = (help) => {
  const list = /^Commands:\n((?: {2,}.*\n?)*)/m.exec(help)?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1]).filter((name) => name !== 'help');
};

const sections = (command) => {
  const help = helpOf(command);
  const title = `## clout${command.map((word) => ` ${word}`).join('')}`;
  return [
    [title, '```', help, '```'].join('\n'),
    ...subcommandsOf(help).flatMap((name) => sections([...command, name])),
  ];
};

/** docs/reference/cli.md: what the built command line says of itself. */
export const makeCliReference = () =>
  `${[GENERATED, '# Command line', 'What `clout --help` and the help of each command say.', ...sections([])].join('\n\n')}\n`;
