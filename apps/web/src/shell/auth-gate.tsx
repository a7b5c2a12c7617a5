import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react';

export interface LoginRequest {
  /** What was refused, as the server put it; absent when the person asked to log in. */
  readonly reason?: string;
  /** Does again what was refused. */
  readonly retry?: () => void;
}

interface AuthGate {
  readonly request: LoginRequest | undefined;
  readonly ask: (request: LoginRequest) => void;
  readonly close: () => void;
}

const Context = createContext<AuthGate>({ request: undefined, ask: () => undefined, close: () => undefined });

export const useAuthGate = (): AuthGate => use(Context);

/** Lets any refused action ask for a token, and be done again once it was given. */
export const AuthGateProvider = ({ children }: { readonly children: ReactNode }) => {
  const [request, setRequest] = useState<LoginRequest>();
  const close = useCallback(() => setRequest(undefined), []);
  const gate = useMemo(() => ({ request, ask: setRequest, close }), [request, close]);
  return <Context value={gate}>{children}</Context>;
};
