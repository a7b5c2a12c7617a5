import { parseUsd } from '@cloutagent/contract';
import { InvalidArgumentError } from 'commander';

/** Reader of a whole number in a range, for an option. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/u.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    return value;
  };

/** Reader of an amount in dollars. */
export const usd = (text: string): string => {
  if (parseUsd(text) === undefined) throw new InvalidArgumentError('It is an amount in dollars, such as 0.50.');
  return text.trim();
};

/** Reader of one word of a few. */
export const oneOf =
  <const T extends string>(...words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new InvalidArgumentError(`It is one of: ${words.join(', ')}.`);
    return word;
  };

/** Members whose value is not undefined, as exact optional properties want them. */
export const given = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  }; // the same members, fewer of them
