import { createClient } from '@cloutagent/client';

/** Same origin; the session cookie says who is calling. */
export const api = createClient({ baseUrl: '' });
