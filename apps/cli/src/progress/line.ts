import { showUsd, type RunEvent } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { oneLine, plain, type Style } from '../output.ts';
import { showCheck } from '../show/change.ts';

const WIDTH = 100;

const showDelay = (ms: number): string => (ms < 10_000 ? `${ms} ms` : `${Math.ceil(ms / 1000)} s`);

/** The line that stands for an event in a log; undefined where the event says nothing to people. */
export const lineOf = ({ body }: RunEvent, style: Style): string | undefined => {
  switch (body.type) {
    case 'run.state':
      return body.reason === null ? undefined : style.dim(`run ${body.status}: ${oneLine(body.reason.message)}`);
    case 'task.started':
      return `${style.bold(oneLine(body.taskId))} ${oneLine(body.title, WIDTH)}`;
    case 'task.finished': {
      const { outcome } = body;
      const attempts = outcome.attempts > 1 ? `, ${outcome.attempts} attempts` : '';
      return outcome.ticked
        ? `  ${style.green('done')} ${style.dim(`(${outcome.verification ?? 'unverified'}${attempts})`)}`
        : `  ${style.red('open')} ${oneLine(outcome.note, WIDTH)} ${style.dim(`(${outcome.attempts} attempts)`)}`;
    }
    case 'model.finished':
      return style.dim(`  model  ${showUsd(body.cost.nanoUsd)}  ${oneLine(body.text, WIDTH)}`.trimEnd());
    case 'model.retry':
      return style.yellow(
        `  again in ${showDelay(body.delayMs)}: ${oneLine(body.message, WIDTH)} (${plain(body.code)})`,
      );
    case 'tool.started':
      return style.dim(
        `  tool   ${plain(body.server)}:${plain(body.tool)} ${oneLine(JSON.stringify(body.input) ?? '', WIDTH)}`,
      );
    case 'tool.finished':
      return body.isError ? style.yellow(`  tool   failed: ${oneLine(body.preview, WIDTH)}`) : undefined;
    case 'check.finished': {
      const { check, ok, detail } = body.result;
      return `  check  ${oneLine(showCheck(check), WIDTH)}: ${ok ? style.green('holds') : style.red(`does not hold, ${oneLine(detail, WIDTH)}`)}`;
    }
    case 'node.started':
      return `${style.bold(oneLine(body.node))} ${oneLine(body.title, WIDTH)}${body.attempt > 1 ? style.yellow(` (attempt ${body.attempt})`) : ''}`;
    case 'node.finished': {
      const { status, output, error } = body.outcome;
      if (status === 'skipped') return style.dim(`  skipped ${oneLine(body.node)}`);
      const said = error === null ? style.dim(oneLine(output, WIDTH)) : oneLine(error.message, WIDTH);
      return `  ${error === null ? style.green('done') : style.red('failed')} ${oneLine(body.node)} ${said}`;
    }
    case 'wait.started':
      return style.yellow(`  waits until ${toIso(body.until)}`);
    case 'approval.requested':
      return style.yellow(
        `  asks  ${oneLine(body.title, WIDTH)}: clout runs approve ${plain(body.approval)} (or deny)`,
      );
    case 'approval.decided':
      return style.dim(`  ${plain(body.status)}${body.by === null ? '' : ` by ${oneLine(body.by)}`}`);
    default:
      return undefined;
  }
};
