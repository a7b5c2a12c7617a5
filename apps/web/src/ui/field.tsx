import { useId, type ComponentProps, type ReactNode } from 'react';
import { cx } from './class-names.ts';

export const inputClass =
  'h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink placeholder:text-ink-3 aria-invalid:border-bad';

interface FieldProps extends Omit<ComponentProps<'input'>, 'id'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | undefined;
  readonly autoFocusInPanel?: boolean;
}

/** A labelled input with its hint or what is wrong with it. */
export const Field = ({ label, hint, problem, className, autoFocusInPanel = false, ...rest }: FieldProps) => {
  const id = useId();
  const hasNote = problem !== undefined || hint !== undefined;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-xs font-medium text-ink-2">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={problem !== undefined || undefined}
        aria-describedby={hasNote ? `${id}-note` : undefined}
        data-autofocus={autoFocusInPanel || undefined}
        className={cx(inputClass, className)}
        {...rest}
      />
      {hasNote ? (
        <p id={`${id}-note`} className={cx('text-xs', problem === undefined ? 'text-ink-3' : 'text-bad')}>
          {problem ?? hint}
        </p>
      ) : null}
    </div>
  );
};

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly value: T | undefined;
  readonly onChange: (value: T) => void;
  readonly options: readonly {
    readonly value: T;
    readonly label: string;
    readonly note: ReactNode;
    readonly disabled?: boolean;
  }[];
}

/** One of a few, each with a sentence that says what it means. */
export const Choice = <T extends string>({ legend, value, onChange, options }: ChoiceProps<T>) => {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-xs font-medium text-ink-2">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'flex gap-2.5 rounded-md border p-2.5',
            value === option.value ? 'border-ink-3 bg-hover' : 'border-line hover:bg-hover',
            option.disabled === true && 'cursor-not-allowed text-ink-3',
          )}
        >
          <input
            type="radio"
            name={name}
            checked={value === option.value}
            disabled={option.disabled}
            onChange={() => onChange(option.value)}
            className="mt-1 accent-accent"
          />
          <span>
            <span className="block font-medium">{option.label}</span>
            <span className="block text-xs text-ink-3">{option.note}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
};
