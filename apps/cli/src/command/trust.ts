import type { Register } from '../context.ts';
import { plain } from '../output.ts';
import { locate } from '../with-server.ts';

export const registerTrust: Register = (program, context) => {
  program
    .command('trust')
    .description('allow the checks of this folder to run commands (remembered outside of the folder)')
    .option('--list', 'list the trusted folders')
    .option('--remove', 'forget this folder')
    .action(
      context.action(async (options: { list?: true; remove?: true }) => {
        const { listTrusted, trust, untrust } = await import('@cloutagent/server');
        const { environment } = context.io;
        if (options.list === true) {
          const folders = await listTrusted(environment);
          context.output.result({ folders }, () =>
            folders.length === 0 ? 'No folder is trusted.' : folders.map(plain).join('\n'),
          );
          return 0;
        }
        const { root } = await locate(context);
        if (options.remove === true) {
          const removed = await untrust(root, environment);
          context.output.result({ folder: root, trusted: false, changed: removed }, () =>
            removed ? `${root} is not trusted any more.` : `${root} was not trusted.`,
          );
          return 0;
        }
        const folder = await trust(root, environment);
        context.output.result(
          { folder, trusted: true },
          () =>
            `${folder} is trusted: checks in its tasks may run commands, with your rights.\nTake it back: clout trust --remove`,
        );
        return 0;
      }),
    );
};
