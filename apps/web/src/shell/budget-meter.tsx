import { showUsd, type Meta } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { FlaskConical, Wallet } from 'lucide-react';
import { MoneyBar } from '../ui/money.tsx';

interface MeterProps {
  readonly budget: Meta['budget']['billed'];
  readonly simulated: boolean;
}

const Meter = ({ budget, simulated }: MeterProps) => {
  const name = simulated ? 'Simulated budget of the project' : 'Billed budget of the project';
  const Icon = simulated ? FlaskConical : Wallet;
  return (
    <div className="flex items-center gap-2" title={name}>
      <Icon size={13} aria-hidden className={simulated ? 'shrink-0 text-sim' : 'shrink-0 text-ink-3'} />
      <span className="tnum text-xs whitespace-nowrap text-ink-2">
        <span className="sr-only">{simulated ? 'simulated ' : 'billed '}</span>
        <span className="font-medium text-ink">{showUsd(budget.spent.nanoUsd)}</span>
        {budget.limit === null ? null : ` / ${showUsd(budget.limit.nanoUsd)}`}
      </span>
      <MoneyBar money={budget} simulated={simulated} label={name} className="w-14 shrink-0 max-[420px]:hidden" />
    </div>
  );
};

/** What the project has spent of its budgets: real money, and the simulator's kept apart. */
export const BudgetMeter = ({ budget }: { readonly budget: Meta['budget'] }) => (
  <Link to="/costs" className="flex items-center gap-4 rounded-md">
    <Meter budget={budget.billed} simulated={false} />
    <Meter budget={budget.simulated} simulated />
    <span className="sr-only">: costs and budgets</span>
  </Link>
);
