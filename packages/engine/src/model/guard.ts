import { openCircuit, openRetryBudget, type Circuit, type CircuitOutcome, type Clock } from '@cloutagent/kit';
import { ModelCallError, type ModelEvent, type ModelPort } from './port.ts';

/** Seed 003, task 2.3. */
const CIRCUIT = { threshold: 5, openMs: 60_000 } as const;

/** Repetitions are at most a tenth of all calls, beside ten that a quiet process may make and gets back in a minute. */
const RETRY_BUDGET = { ratio: 0.09, cap: 100, reserve: 10, refillMs: 6000 } as const;

/** Models that one source is asked for; the names come from users. */
const MAX_MODELS = 200;

/**
 * Keeps the calls of a process from a model that is down: a circuit for each model of this source, and one budget of
 * repetitions for all. Answers with 4xx prove that the service is there; what the caller aborts says nothing.
 */
export const guardModel = (port: ModelPort, clock: Clock): ModelPort => {
  const circuits = new Map<string, Circuit>();
  const budget = openRetryBudget(RETRY_BUDGET, clock);

  const circuitOf = (model: string): Circuit => {
    const known = circuits.get(model);
    if (known !== undefined) return known;
    const [oldest] = circuits.keys();
    if (circuits.size >= MAX_MODELS && oldest !== undefined) circuits.delete(oldest);
    const circuit = openCircuit(CIRCUIT, clock);
    circuits.set(model, circuit);
    return circuit;
  };

  return {
    ...port,
    mayRepeat: () => budget.take(),
    async *stream(request, call): AsyncGenerator<ModelEvent> {
      const entry = circuitOf(request.model).enter();
      if ('retryAfterMs' in entry) throw paused(request.model, entry.retryAfterMs);
      budget.earn();
      let outcome: CircuitOutcome = 'void';
      try {
        for await (const event of port.stream(request, call)) {
          if (event.type === 'end') outcome = 'success';
          yield event;
        }
      } catch (error) {
        if (!call.signal.aborted && error instanceof ModelCallError) outcome = outcomeOf(error);
        throw error;
      } finally {
        entry.end(outcome);
      }
    },
  };
};

/** Without a key nothing was asked, which says nothing either. */
const outcomeOf = ({ outage, billing, code }: ModelCallError): CircuitOutcome =>
  outage ? 'failure' : code === 'MODEL_KEY_MISSING' && billing === 'none' ? 'void' : 'success';

const paused = (model: string, retryAfterMs: number): ModelCallError =>
  new ModelCallError(
    'MODEL_UNAVAILABLE',
    retryAfterMs === 0
      ? `${model} failed ${CIRCUIT.threshold} times in a row; one call is trying whether it is back`
      : `${model} failed ${CIRCUIT.threshold} times in a row; calls to it pause for ${Math.ceil(retryAfterMs / 1000)} s`,
    { billing: 'none', retryable: true, retryAfterMs },
  );
