import { CloutError } from '@cloutagent/contract';
import type { Route } from '@cloutagent/http';
import { CHALLENGE, PROOF_PATH, proofOf } from '../data-folder.ts';

/**
 * Proves to commands of this machine that this server owns their data folder, before they show it their token; so nobody
 * needs a token here. `url` is the address that stands in `server.json`.
 */
export const proofRoute = (token: string, url: () => string): Route => ({
  method: 'GET',
  path: PROOF_PATH,
  scope: 'open',
  handler: ({ url: asked }) => {
    const challenge = asked.searchParams.get('challenge') ?? '';
    if (!CHALLENGE.test(challenge)) {
      throw new CloutError('INVALID_INPUT', 'challenge is not 16 to 100 letters, digits, dashes or underscores');
    }
    return { kind: 'json', body: { proof: proofOf(token, url(), challenge) } };
  },
});
