import { API_VERSION, CloutError } from '@cloutagent/contract';

/** The API has one major version; another one would not mean what its sender thinks. VALIDATION_ERROR. */
export const checkApiVersion = (asked: unknown): void => {
  if (asked === undefined || asked === null) return;
  const [major] = API_VERSION.split('.');
  if (typeof asked === 'string' && /^\d+(\.\d+){0,2}$/u.test(asked) && asked.split('.')[0] === major) return;
  const value = typeof asked === 'string' ? asked.slice(0, 50) : typeof asked;
  throw new CloutError('VALIDATION_ERROR', `API version ${value} is not supported`, {
    hint: `Use apiVersion ${API_VERSION}`,
    details: { field: 'apiVersion', value, supported: [API_VERSION] },
  });
};
