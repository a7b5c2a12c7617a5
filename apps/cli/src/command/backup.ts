import path from 'node:path';
import type { Register } from '../context.ts';
import { plain } from '../output.ts';
import { locate } from '../with-server.ts';

export const registerBackup: Register = (program, context) => {
  program
    .command('backup')
    .argument('<file>', 'a file that does not exist yet')
    .description('copy runs, money and their history (store.db) as they are now, also while a server works with them')
    .action(
      context.action(async (name: string) => {
        const { backUpStore } = await import('@cloutagent/server');
        const { dataDir } = await locate(context);
        const backup = await backUpStore({
          dir: dataDir,
          file: path.resolve(context.io.cwd, context.cwd() ?? '.', name),
        });
        context.output.result(
          backup,
          () =>
            `${plain(backup.file)}: ${backup.bytes} bytes, checked.\nTo go back: stop CloutAgent, put ${plain(path.join(dataDir, 'store.db*'))} aside, and copy it there as store.db.`,
        );
        return 0;
      }),
    );
};
