import { CloutError, PRODUCT_VERSION, toMoney, type Budget } from '@cloutagent/contract';
import { AUTH_COOKIE } from '@cloutagent/http';
import type { Workbench } from '../workbench.ts';
import type { Handlers } from './bind.ts';

/** RFC 6265 cookie-octets that tokens are made of; others would be cut by a browser. */
const COOKIE_VALUE = /^[\w.~+/=!#$%&'*^`|-]+$/u;

const cookie = (value: string, maxAge: number, secure: boolean): string =>
  `${AUTH_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAge}${secure ? '; Secure' : ''}`;

/** A working day: after it the token has to be shown again. */
const SESSION_SECONDS = 12 * 3600;

const money = (budget: Budget | undefined) => ({
  limit: budget?.limitNanoUsd === undefined || budget.limitNanoUsd === null ? null : toMoney(budget.limitNanoUsd),
  spent: toMoney(budget?.spentNanoUsd ?? 0),
  held: toMoney(budget?.heldNanoUsd ?? 0),
});

export const sessionHandlers = (bench: Workbench): Pick<Handlers, 'meta' | 'login' | 'logout'> => {
  return {
    meta: async ({ context }) => {
      const [billed, simulated] = await Promise.all([bench.projectBudget(false), bench.projectBudget(true)]);
      return {
        pid: process.pid,
        version: PRODUCT_VERSION,
        project: await bench.describeProject(),
        model: {
          default: bench.settings.config.model,
          keySet: bench.settings.anthropic.apiKey !== undefined,
          url: bench.settings.anthropic.url,
        },
        budget: { billed: money(billed), simulated: money(simulated) },
        principal: { name: context.principal.name, scopes: [...context.principal.scopes] },
      };
    },
    login: ({ body, context }) => {
      const principal = COOKIE_VALUE.test(body.token) ? context.checkToken(body.token) : undefined;
      if (principal === undefined) {
        throw new CloutError('AUTHENTICATION_FAILED', 'This token is not valid here', {
          hint: "The administrator's token is in .cloutagent/token of the project",
        });
      }
      return {
        kind: 'json',
        headers: { 'set-cookie': cookie(body.token, SESSION_SECONDS, context.secure) },
        body: { name: principal.name, scopes: principal.scopes },
      };
    },
    logout: ({ context }) => ({
      kind: 'json',
      headers: { 'set-cookie': cookie('', 0, context.secure) },
      body: { ok: true },
    }),
  };
};
