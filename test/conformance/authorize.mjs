import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/client';

const REDIRECT = 'http://localhost:3000/callback';
const METADATA = 'https://conformance-test.local/client-metadata.json';

/** A client that is known to the authorization server by what it registers or publishes, kept in memory. */
const memoryProvider = (clientInformation) => {
  const kept = { clientInformation };
  return {
    redirectUrl: REDIRECT,
    clientMetadataUrl: METADATA,
    clientMetadata: { client_name: 'cloutagent', redirect_uris: [REDIRECT], application_type: 'native' },
    clientInformation: () => kept.clientInformation,
    saveClientInformation: (information) => {
      kept.clientInformation = information;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => {
      kept.tokens = tokens;
    },
    saveCodeVerifier: (verifier) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier,
    saveDiscoveryState: (state) => {
      kept.discovery = state;
    },
    discoveryState: () => kept.discovery,
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'client') kept.clientInformation = undefined;
      if (scope === 'all' || scope === 'tokens') kept.tokens = undefined;
      if (scope === 'all' || scope === 'discovery') kept.discovery = undefined;
    },
    /** The suite's server agrees at once, where a person would. */
    redirectToAuthorization: async (url) => {
      const answer = await fetch(url, { redirect: 'manual' });
      kept.callback = new URL(answer.headers.get('location') ?? '').searchParams;
    },
    callback: () => kept.callback,
  };
};

const providerFor = (scenario, context) =>
  scenario === 'auth/pre-registration'
    ? memoryProvider({ client_id: context.client_id, client_secret: context.client_secret })
    : memoryProvider();

/** More would only be refused again. */
const MAX_TRIES = 3;

/** Sends requests with a token, and gets one, or one that may do more, where the server asks for it. */
export const withAuthorization = (serverUrl, scenario, context) => (next) => {
  const provider = providerFor(scenario, context);
  let scopes = new Set();
  return async (url, init = {}) => {
    for (let attempt = 0; ; attempt += 1) {
      const headers = new Headers(init.headers);
      const tokens = await provider.tokens();
      if (tokens) headers.set('authorization', `Bearer ${tokens.access_token}`);
      const answer = await next(url, { ...init, headers });
      if ((answer.status !== 401 && answer.status !== 403) || attempt >= MAX_TRIES) return answer;
      const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(answer);
      await answer.body?.cancel();
      if (scope !== undefined) scopes = new Set([...scopes, ...scope.split(' ')]);
      const asked = {
        serverUrl,
        resourceMetadataUrl,
        ...(scopes.size > 0 ? { scope: [...scopes].join(' ') } : {}),
        fetchFn: next,
        forceReauthorization: answer.status === 403,
      };
      if ((await auth(provider, asked)) === 'REDIRECT') {
        const callback = provider.callback();
        await auth(provider, {
          ...asked,
          authorizationCode: callback.get('code') ?? '',
          ...(callback.get('iss') === null ? {} : { iss: callback.get('iss') }),
        });
      }
    }
  };
};
