import { codeOf, ConflictDetails } from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';

const SIDES = { base: 'when the change started', current: 'now', yours: 'in this change' } as const;

/** The texts of both sides of a `CHANGE_CONFLICT`, and what they started from; empty for any other error. */
export const showConflicts = (error: unknown, style: Style): string => {
  if (codeOf(error) !== 'CHANGE_CONFLICT' || !(error instanceof Error) || !('details' in error)) return '';
  const found = ConflictDetails.safeParse(error.details);
  return (found.data?.conflicts ?? [])
    .map((conflict) =>
      [
        style.bold(`${plain(conflict.capability)}: ${oneLine(conflict.requirement)}`),
        ...(['base', 'current', 'yours'] as const).flatMap((side) => [
          style.yellow(`--- ${SIDES[side]}`),
          plain(conflict[side] ?? (side === 'yours' ? `(${conflict.operation})` : '(there is none)')),
        ]),
        '',
      ].join('\n'),
    )
    .join('\n');
};
