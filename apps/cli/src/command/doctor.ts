import type { Register } from '../context.ts';
import { plain } from '../output.ts';
import { withServer } from '../with-server.ts';

export const registerDoctor: Register = (program, context) => {
  program
    .command('doctor')
    .description('check the stored data (spent and held equal the ledger) and what runs need')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const report = await session.call('doctor', {});
          const { green, red } = context.output.style;
          context.output.result(report, () =>
            report.checks
              .map(({ name, ok, detail }) => `${ok ? green('ok    ') : red('FAILED')} ${name}: ${plain(detail)}`)
              .join('\n'),
          );
          return report.ok ? 0 : 1;
        }),
      ),
    );
};
