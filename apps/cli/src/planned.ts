import { CloutError } from '@cloutagent/contract';
import type { Command } from 'commander';

/** Commands that the design names and this version does not have, by the group they belong to. */
const PLANNED: Readonly<Record<string, readonly string[]>> = {
  clout: ['task', 'worker', 'bridge', 'ide', 'bench', 'config'],
  change: ['verify'],
};

/** Refuses the commands of a group that do not exist, and says whether they ever will. */
export const refuseUnknown = (group: Command): void => {
  group.on('command:*', (operands: readonly string[]) => {
    const [word = ''] = operands;
    const path = group.parent === null ? 'clout' : `clout ${group.name()}`;
    const existing = group.commands.map((command) => command.name()).join(', ');
    if (PLANNED[group.name()]?.includes(word) === true) {
      throw new CloutError('NOT_IMPLEMENTED', `${path} ${word} does not exist in this version`, {
        hint: `What exists: ${existing}. Nothing was changed.`,
        details: { command: word, commands: group.commands.map((command) => command.name()) },
      });
    }
    throw new CloutError('INVALID_INPUT', `${path} has no command "${word}"`, {
      hint: `It has: ${existing}`,
      details: { command: word, commands: group.commands.map((command) => command.name()) },
    });
  });
};
