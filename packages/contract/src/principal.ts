import * as z from 'zod';

/** `read` looks, `run` works and spends within budgets, `admin` gives commands, secrets, tokens and money. */
export const Scope = z.enum(['read', 'run', 'admin']);
export type Scope = z.infer<typeof Scope>;

/** Who is calling. `name` is shown and stored (leases, audit); it never contains a token. */
export interface Principal {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Set where a token proved the caller; leases are bound to it (SHA-256, hex, first 16 digits). */
  readonly tokenId?: string;
}

export const allows = (principal: Principal, scope: Scope): boolean => principal.scopes.includes(scope);

export const ALL_SCOPES: readonly Scope[] = ['read', 'run', 'admin'];
