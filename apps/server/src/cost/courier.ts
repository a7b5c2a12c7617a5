import { createHmac } from 'node:crypto';
import type { CostAlert } from '@cloutagent/contract';
import { Hub, retryDelay, type Clock, type RetryPolicy } from '@cloutagent/kit';
import type { Store } from '@cloutagent/store';
import type { Log } from '../log.ts';

/** Three days in all: over a weekend somebody mends a receiver. */
const RETRY: RetryPolicy = { attempts: 24, baseMs: 5000, capMs: 4 * 3_600_000 };

/** A receiver that takes longer has its alert again later. */
const TIMEOUT_MS = 10_000;

/** A missed wake-up must not hold an alert back for longer. */
const SWEEP_MS = 60_000;

export interface CourierOptions {
  readonly webhook: { readonly url: string; readonly secret: Buffer } | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** One sentence for the log and for people. */
export const sayAlert = (alert: CostAlert): string => {
  const whose = alert.scope === 'global' ? 'all projects' : `${alert.scope} ${alert.budgetId}`;
  if (alert.kind === 'bound-violated')
    return `A call of ${whose} cost $${alert.spent.usd}, more than its upper bound of $${alert.limit.usd}`;
  const over = alert.slot === '' ? '' : ` in ${alert.slot}`;
  return `${alert.percent} % of the budget of ${whose}${over} are spent: $${alert.spent.usd} of $${alert.limit.usd}`;
};

/** Headers of standardwebhooks.com over a body. `at` is milliseconds since 1970. */
export const signWebhook = (secret: Buffer, id: string, at: number, body: string): Record<string, string> => {
  const seconds = Math.floor(at / 1000);
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
};

/**
 * Delivers each alert of the store to each channel at least once: the log, the webhook, and readers of the alert stream. What
 * is delivered is recorded, so that a crash between the two repeats one and loses none; `webhook-id` lets a receiver see that.
 */
export class AlertCourier {
  readonly #options: CourierOptions;
  readonly #hub = new Hub<void>();
  readonly #ended = new AbortController();
  #news = true;
  #wake: (() => void) | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  open(store: Store): void {
    this.#done = this.#work(store).catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.#options.log('error', 'cost alerts are not delivered any more', { error });
    });
  }

  /** There are new alerts. */
  wake(): void {
    this.#news = true;
    this.#wake?.();
    this.#hub.publish('', undefined);
  }

  /** Calls back whenever there may be new alerts. */
  watch(wake: () => void): () => void {
    return this.#hub.subscribe('', wake);
  }

  async close(): Promise<void> {
    this.#ended.abort(new Error('closed'));
    this.#wake?.();
    await this.#done;
  }

  async #work(store: Store): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      this.#news = false;
      try {
        await this.#pass(store);
      } catch (error) {
        // The alerts are stored; the next round finds them.
        if (signal.aborted) return;
        this.#options.log('warn', 'cost alerts could not be delivered', { error });
      }
      if (this.#news || signal.aborted) continue;
      const timer = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const slept = this.#options.clock.sleep(SWEEP_MS, timer.signal).catch(() => undefined);
      await Promise.race([woken, slept]);
      timer.abort(new Error('woken'));
      this.#wake = undefined;
    }
  }

  async #pass(store: Store): Promise<void> {
    for (const { alert } of await store.undelivered('log')) {
      this.#options.log('warn', sayAlert(alert), { alert });
      await store.recordDelivery({ place: alert.place, channel: 'log', attempts: 1, error: null, nextAt: null });
    }
    const { webhook } = this.#options;
    if (webhook === undefined) return;
    for (const { alert, attempts } of await store.undelivered('webhook')) {
      if (this.#ended.signal.aborted) return;
      const error = await this.#post(webhook, alert);
      const made = attempts + 1;
      const again = error !== null && made < RETRY.attempts;
      const { clock, random, log } = this.#options;
      const nextAt = again ? clock.now() + retryDelay(RETRY, made, random()) : null;
      if (error !== null && !again) log('error', 'a cost alert was given up', { alert, error });
      await store.recordDelivery({ place: alert.place, channel: 'webhook', attempts: made, error, nextAt });
    }
  }

  /** Null where it was taken, else why not. */
  async #post({ url, secret }: NonNullable<CourierOptions['webhook']>, alert: CostAlert): Promise<string | null> {
    const body = JSON.stringify({ type: 'cost.alert', timestamp: alert.at, data: alert });
    const id = `cost-alert-${alert.place}-${Date.parse(alert.at)}`;
    try {
      const response = await fetch(url, {
        method: 'POST',
        // A receiver that moved is configured anew: a signed body goes nowhere else.
        redirect: 'error',
        headers: { 'content-type': 'application/json', ...signWebhook(secret, id, this.#options.clock.now(), body) },
        body,
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return response.ok ? null : `the receiver answered ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
