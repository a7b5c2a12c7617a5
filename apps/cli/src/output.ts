import type { ErrorBody } from '@cloutagent/contract';
import type { Io } from './io.ts';

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

/** The one place that writes: people read text, programs read JSON (one document, or a line for each event of long work). */
export interface Output {
  readonly json: boolean;
  /** stdout is a terminal that may be redrawn. */
  readonly live: boolean;
  readonly style: Style;
  /** The answer of a command. */
  result(value: unknown, toText: () => string): void;
  /** One JSON value of long work, on a line of its own; nothing for people. */
  event(value: unknown): void;
  /** A line for people on stdout; nothing with --json. */
  line(text: string): void;
  /** A remark on stderr, which is no part of the answer. */
  note(text: string): void;
  /** A sentence, a hint and a code on stderr; with --json `{"error": …}` on stdout. */
  fail(error: ErrorBody): void;
}

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** An empty NO_COLOR counts as none (no-color.org). */
export const mayColour = (isTTY: boolean, environment: Io['environment']): boolean => isTTY && !environment.NO_COLOR;

export const createStyle = (colour: boolean): Style => {
  const paint =
    (name: keyof typeof CODES) =>
    (text: string): string =>
      colour && text !== '' ? `\u001b[${CODES[name][0]}m${text}\u001b[${CODES[name][1]}m` : text;
  return { bold: paint('bold'), dim: paint('dim'), red: paint('red'), green: paint('green'), yellow: paint('yellow') };
};

export const createOutput = (io: Io, json: boolean): Output => {
  const style = createStyle(io.colour && !json);
  return {
    json,
    live: io.stdout.isTTY && !json,
    style,
    result: (value, toText) => io.stdout.write(`${json ? JSON.stringify(value) : toText()}\n`),
    event: (value) => {
      if (json) io.stdout.write(`${JSON.stringify(value)}\n`);
    },
    line: (text) => {
      if (!json) io.stdout.write(`${text}\n`);
    },
    note: (text) => io.stderr.write(`${text}\n`),
    fail: (error) => {
      if (json) {
        const { code, message, hint, details } = error;
        io.stdout.write(`${JSON.stringify({ error: { code, message, hint, details: details ?? {} } })}\n`);
        return;
      }
      const paint = createStyle(io.colour && io.stderr.isTTY);
      io.stderr.write(
        `${paint.red('Error')}: ${plain(error.message)}\n${plain(error.hint)}\n${paint.dim(error.code)}\n`,
      );
    },
  };
};

/** Text from files, servers and models may hold control characters, which would steer the terminal; line breaks and tabs stay. */
export const plain = (text: string): string => text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, ''); // eslint-disable-line no-control-regex -- they are what is removed

/** The same on one line, cut to `width` characters. */
export const oneLine = (text: string, width = Number.POSITIVE_INFINITY): string => {
  const flat = plain(text).replaceAll(/\s+/gu, ' ').trim();
  return cut(flat, width);
};

/** Leaves out the end of a text that is longer than `width` characters. */
export const cut = (text: string, width: number): string => {
  if (text.length <= width) return text;
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
};
