import type { Meta } from '@cloutagent/contract';
import { FlaskConical } from 'lucide-react';
import { CommandLine } from '../ui/command-line.tsx';

/** Does this server have a model to talk to? A server of one's own may need no key. */
export const hasModel = (model: Meta['model']): boolean =>
  model.keySet || !model.url.startsWith('https://api.anthropic.com');

/** Says plainly that no key is set, and what can be done with and without one. */
export const KeyBanner = ({ model }: { readonly model: Meta['model'] }) =>
  hasModel(model) ? null : (
    <section
      aria-labelledby="key-banner"
      className="mb-6 grid gap-x-8 gap-y-3 rounded-lg border border-dashed border-sim/50 bg-sim-soft p-4 md:grid-cols-[1fr_auto]"
    >
      <div className="max-w-[60ch]">
        <h2 id="key-banner" className="flex items-center gap-2 font-semibold">
          <FlaskConical size={15} aria-hidden className="text-sim" />
          No model key is set: runs are simulated
        </h2>
        <p className="mt-1 text-ink-2">
          A simulated run takes the whole path and writes real files with real tools, but its answers come from a script
          instead of a model. It costs nothing, its money is counted apart, and it is marked wherever it shows.
        </p>
      </div>
      <div className="flex min-w-0 flex-col gap-1.5 md:w-[410px]">
        <span className="text-xs text-ink-2">For real work set one of these and start again:</span>
        <CommandLine command="export ANTHROPIC_API_KEY=sk-ant-…" />
        <CommandLine command="export ANTHROPIC_API_URL=http://127.0.0.1:8080" />
      </div>
    </section>
  );
