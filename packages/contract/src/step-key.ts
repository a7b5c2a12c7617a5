// Apart from the schemas, as the amounts: the store's thread loads none of them.

/** The node or task of a step: the first segment of its key, `task[1.2]` of `task[1.2]/try[0]/turn[1]`. */
export const nodeOfStep = (stepKey: string): string => stepKey.split('/', 1)[0] ?? '';
