import { ALERT_THRESHOLDS, parseUsd } from '@cloutagent/contract';
import { useState } from 'react';
import { api } from '../api/client.ts';
import { PROJECT } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Choice, Field } from '../ui/field.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { SimulatedBadge } from '../ui/status.tsx';
import { toThresholds } from './thresholds.ts';

type Scope = 'project' | 'global' | 'change' | 'user';
type LimitType = 'daily' | 'weekly' | 'monthly' | 'lifetime';

const SCOPES = [
  { value: 'project', label: 'This project', note: 'Everything that runs here' },
  { value: 'global', label: 'All projects', note: 'Everything that this data folder pays for' },
  { value: 'change', label: 'One change', note: 'All runs of it, whoever starts them' },
  { value: 'user', label: 'One user', note: 'Everything that somebody starts' },
] as const;

const PERIODS = [
  { value: 'daily', label: 'Each day', note: 'Starts anew at midnight' },
  { value: 'weekly', label: 'Each week', note: 'Starts anew on Monday' },
  { value: 'monthly', label: 'Each month', note: 'Starts anew on the first' },
  { value: 'lifetime', label: 'For good', note: 'Never starts anew' },
] as const;

const NAMED: Readonly<Partial<Record<Scope, string>>> = { change: 'Slug of the change', user: 'Name of the user' };

interface LimitPanelProps {
  readonly simulated: boolean;
  readonly onClose: () => void;
}

/** Sets, changes or takes away a limit; runs that waited for money go on when it is raised. */
export const LimitPanel = ({ simulated, onClose }: LimitPanelProps) => {
  const [scope, setScope] = useState<Scope>('project');
  const [id, setId] = useState('');
  const [limitType, setLimitType] = useState<LimitType>('daily');
  const [amount, setAmount] = useState('');
  const [thresholds, setThresholds] = useState(ALERT_THRESHOLDS.join(', '));
  const [touched, setTouched] = useState(false);
  const idLabel = NAMED[scope];
  const isAmount = amount.trim() === '' || parseUsd(amount) !== undefined;
  const alertThresholds = toThresholds(thresholds);
  const isNamed = idLabel === undefined || id.trim() !== '';
  const save = useAction(
    () =>
      api.call('costsLimit', {
        params: PROJECT,
        body: {
          limitType,
          limitAmount: amount.trim() === '' ? null : amount.trim(),
          alertThresholds,
          scope,
          simulated,
          ...(idLabel === undefined ? {} : { id: id.trim() }),
        },
      }),
    onClose,
  );
  const submit = () => {
    setTouched(true);
    if (isAmount && isNamed && alertThresholds !== undefined) save.run(undefined);
  };
  return (
    <Panel
      title="Set a limit"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Close
          </Button>
          <Button kind="primary" busy={save.busy} onClick={submit}>
            {amount.trim() === '' ? 'Take the limit away' : 'Set the limit'}
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
        {simulated ? (
          <div>
            <SimulatedBadge />
          </div>
        ) : null}
        <Field
          label="Limit in dollars"
          value={amount}
          inputMode="decimal"
          placeholder="5.00"
          onChange={(event) => setAmount(event.target.value)}
          hint="No call is sent that could cost more than what is free. Empty: no limit."
          problem={touched && !isAmount ? 'An amount such as 0.50, below a million' : undefined}
          autoFocusInPanel
        />
        <Choice legend="Over" value={limitType} onChange={setLimitType} options={PERIODS} />
        <Choice legend="Whose money" value={scope} onChange={setScope} options={SCOPES} />
        {idLabel === undefined ? null : (
          <Field
            label={idLabel}
            value={id}
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => setId(event.target.value)}
            problem={touched && !isNamed ? 'Whose limit is it?' : undefined}
          />
        )}
        <Field
          label="Alert at percent of it"
          value={thresholds}
          onChange={(event) => setThresholds(event.target.value)}
          hint="Each is told once in a period: here, in the log and to the webhook"
          problem={alertThresholds === undefined ? 'Whole percents from 1 to 1000, at most twenty' : undefined}
        />
        {save.error === null ? null : <ProblemBox error={save.error} />}
        {/* Enter in a field submits, which needs a submit button inside the form. */}
        <button type="submit" className="sr-only" tabIndex={-1} aria-hidden>
          Set the limit
        </button>
      </form>
    </Panel>
  );
};
