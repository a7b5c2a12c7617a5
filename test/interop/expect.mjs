export const expect = (condition, what) => {
  if (!condition) throw new Error(what);
};
