import { it } from 'vitest';
import { roundTrip } from './sse-harness.ts';

it('[H8] the event stream brings 100,000 lots of events back', { timeout: 300_000 }, async () => {
  await roundTrip(100_000);
});
