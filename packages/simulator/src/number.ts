/** Digits alone, few enough to be exact. */
export const isWhole = (text: string): boolean => /^\d{1,9}$/u.test(text);
