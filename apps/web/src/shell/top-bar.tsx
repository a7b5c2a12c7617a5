import type { Meta } from '@cloutagent/contract';
import { Link } from '@tanstack/react-router';
import { Keyboard, KeyRound, Monitor, Moon, Search, Sun } from 'lucide-react';
import { IconButton } from '../ui/button.tsx';
import { BudgetMeter } from './budget-meter.tsx';
import { Logo } from './logo.tsx';
import { nextTheme, setTheme, useTheme, type Theme } from './theme.ts';

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } satisfies Readonly<Record<Theme, unknown>>;

const ThemeToggle = () => {
  const theme = useTheme();
  const Icon = THEME_ICONS[theme];
  return (
    <IconButton label={`Theme: ${theme}. Change to ${nextTheme(theme)}`} onClick={() => setTheme(nextTheme(theme))}>
      <Icon size={16} aria-hidden />
    </IconButton>
  );
};

interface TopBarProps {
  readonly meta: Meta | undefined;
  readonly onPalette: () => void;
  readonly onShortcuts: () => void;
  readonly onLogin: () => void;
}

export const TopBar = ({ meta, onPalette, onShortcuts, onLogin }: TopBarProps) => (
  <header className="sticky top-0 z-20 border-b border-line bg-surface">
    <div className="flex h-12 items-center gap-2 px-4 sm:px-6">
      <Link to="/" className="flex shrink-0 items-center gap-2 rounded-md text-base font-semibold tracking-tight">
        <Logo />
        <span className="hidden sm:inline">CloutAgent</span>
        <span className="sr-only">: all changes</span>
      </Link>
      {meta === undefined ? null : (
        <span className="flex min-w-0 items-center gap-2 text-ink-3">
          <span aria-hidden>/</span>
          <span className="truncate text-ink-2" title={meta.project.root}>
            {meta.project.name}
          </span>
        </span>
      )}
      <div className="ml-auto flex items-center gap-1">
        {meta === undefined ? null : (
          <div className="mr-3 hidden lg:block">
            <BudgetMeter budget={meta.budget} />
          </div>
        )}
        <button
          type="button"
          onClick={onPalette}
          aria-keyshortcuts="Meta+K Control+K"
          className="inline-flex h-8 items-center gap-2 rounded-md border border-line bg-bg px-2.5 text-ink-3 hover:border-line-strong hover:text-ink"
        >
          <Search size={14} aria-hidden />
          <span className="hidden sm:inline">Search or act</span>
          <span className="sr-only sm:hidden">Search or act</span>
          <kbd className="hidden font-sans text-2xs sm:inline">⌘K</kbd>
        </button>
        <IconButton label="Keyboard shortcuts" onClick={onShortcuts} className="max-sm:hidden">
          <Keyboard size={16} aria-hidden />
        </IconButton>
        <ThemeToggle />
        <IconButton
          label={meta === undefined ? 'Log in' : `Signed in as ${meta.principal.name}. Log in with a token`}
          onClick={onLogin}
        >
          <KeyRound size={16} aria-hidden />
        </IconButton>
      </div>
    </div>
    {meta === undefined ? null : (
      <div className="flex h-8 items-center border-t border-line px-4 sm:px-6 lg:hidden">
        <BudgetMeter budget={meta.budget} />
      </div>
    )}
  </header>
);
