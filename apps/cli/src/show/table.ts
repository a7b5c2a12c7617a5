import { plain } from '../output.ts';

const COMBINING = /\p{Mark}/u;
const WIDE =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/** Columns that a text takes on a terminal, near enough for a table. */
const widthOf = (text: string): number => {
  let width = 0;
  for (const character of text) if (!COMBINING.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
};

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Paints a cell that is padded already. */
  readonly paint?: (cell: string) => string;
}

/** Aligned columns under their titles; two spaces between, none at the end of a line. */
export const table = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintTitle: (text: string) => string,
): string => {
  const cells = rows.map((row) => columns.map((_, i) => plain(row[i] ?? '').replaceAll(/\s+/gu, ' ')));
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[i] ?? ''))),
  );
  const pad = (text: string, i: number): string => {
    const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(text)));
    if (columns[i]?.align === 'right') return space + text;
    return i === columns.length - 1 ? text : text + space;
  };
  const line = (row: readonly string[], paint: (cell: string, i: number) => string): string =>
    row
      .map((cell, i) => paint(pad(cell, i), i))
      .join('  ')
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      (cell) => paintTitle(cell),
    ),
    ...cells.map((row) => line(row, (cell, i) => columns[i]?.paint?.(cell) ?? cell)),
  ].join('\n');
};
