import { useState } from 'react';
import { api } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { CommandLine } from '../ui/command-line.tsx';
import { Field } from '../ui/field.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { useAuthGate, type LoginRequest } from './auth-gate.tsx';

/** Trades a token for a cookie that scripts cannot read, then does again what was refused. */
export const LoginPanel = ({ request }: { readonly request: LoginRequest }) => {
  const { close } = useAuthGate();
  const [token, setToken] = useState('');
  const login = useAction(
    (value: string) => api.call('login', { body: { token: value } }),
    () => {
      close();
      request.retry?.();
    },
    // A wrong token is told in this very panel.
    { asksForToken: false },
  );
  const submit = () => {
    if (token.trim() !== '') login.run(token.trim());
  };
  return (
    <Panel
      title="Log in"
      onClose={close}
      footer={
        <>
          <Button kind="quiet" onClick={close}>
            Not now
          </Button>
          <Button kind="primary" busy={login.busy} onClick={submit}>
            {request.retry === undefined ? 'Log in' : 'Log in and continue'}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {request.reason === undefined ? null : (
          <p className="rounded-md bg-warn-soft p-2.5 text-ink">{request.reason}</p>
        )}
        <p className="text-ink-2">
          Where the server has tokens (AUTH_TOKENS), one of them may look and run. Raising budgets and changing servers
          needs the administrator’s.
        </p>
        <Field
          label="Token"
          type="password"
          autoComplete="current-password"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          hint="It becomes a cookie that scripts cannot read, for twelve hours."
          autoFocusInPanel
        />
        <div className="flex flex-col gap-1.5">
          <span className="text-xs text-ink-3">In the project’s folder, this prints the administrator’s:</span>
          <CommandLine command="cat .cloutagent/token" />
        </div>
        {login.error === null ? null : <ProblemBox error={login.error} />}
      </form>
    </Panel>
  );
};
