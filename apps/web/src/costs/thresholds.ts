/** The bounds of the API. */
const MOST = 20;
const HIGHEST = 1000;

/** `50, 75 90 %` → percents; undefined where one is no whole percent, or there are too many. */
export const toThresholds = (text: string): number[] | undefined => {
  const numbers = text
    .split(/[\s,;%]+/u)
    .filter((part) => part !== '')
    .map(Number);
  const isFine = numbers.every((one) => Number.isInteger(one) && one >= 1 && one <= HIGHEST);
  return isFine && numbers.length <= MOST ? numbers : undefined;
};
