import { createHash } from 'node:crypto';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { McpServerConfig } from '@cloutagent/contract';
import { canonicalJson } from '@cloutagent/kit';

/** The program that a command would start, with links resolved; null where there is none. */
export const programOf = async (command: string, searchPath: string): Promise<string | null> => {
  const candidates = isAbsolute(command)
    ? [command]
    : searchPath.split(delimiter).flatMap((folder) => (folder === '' ? [] : [join(folder, command)]));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      return await realpath(candidate);
    } catch {
      // The next one.
    }
  }
  return null;
};

/**
 * Digest of all that decides what is started or called: program, arguments, variables, folder, parameters; or address,
 * headers and networks. Variables count as they stand in the entry: a secret that is only referred to may change.
 */
export const serverDigest = async (config: McpServerConfig, searchPath: string): Promise<string> => {
  const decides =
    config.transport === 'stdio'
      ? {
          transport: config.transport,
          command: config.command,
          program: await programOf(config.command, searchPath),
          args: config.args,
          env: config.env,
          cwd: config.cwd ?? null,
          params: config.params,
        }
      : {
          transport: config.transport,
          url: config.url,
          headers: config.headers,
          allowNetworks: config.allowNetworks,
          params: config.params,
        };
  return createHash('sha256').update(canonicalJson(decides)).digest('hex');
};
