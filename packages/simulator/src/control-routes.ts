import type { Handler, Reply, RequestContext, Route } from '@cloutagent/http';
import { newId, type Clock } from '@cloutagent/kit';
import { errorReply, MARK, toRefusal, toRequestId } from './caller.ts';
import type { FaultBook } from './fault-book.ts';
import { isWhole } from './number.ts';
import type { Recorder } from './recorder.ts';
import { invalid } from './refusal.ts';

interface ControlDeps {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly faults: FaultBook;
}

/** What a test asks of the simulator itself: what was sent to it, and what is to go wrong. Nothing here is the API's. */
export const controlRoutes = ({ clock, recorder, faults }: ControlDeps): readonly Route[] => {
  const route = (method: Route['method'], path: string, answer: (context: RequestContext) => unknown): Route => ({
    method,
    path,
    scope: 'open',
    handler: guarded(clock, answer),
  });
  return [
    route('GET', '/simulator/requests', ({ url }) => {
      const { searchParams: query } = url;
      const found = recorder.list({
        ...text(query, 'path'),
        ...text(query, 'model'),
        ...number(query, 'status'),
        ...number(query, 'after'),
        ...number(query, 'limit'),
      });
      return { requests: query.get('bodies') === 'false' ? found.map(({ body: _, ...rest }) => rest) : found };
    }),
    route('DELETE', '/simulator/requests', () => {
      recorder.clear();
      return { requests: [] };
    }),
    route('GET', '/simulator/faults', () => ({ faults: faults.list() })),
    route('POST', '/simulator/faults', ({ url }) => {
      const { searchParams: query } = url;
      const fault = query.get('fault');
      if (fault === null) throw invalid('fault: Field required, such as ?fault=429%3B+retry-after%3D2');
      const times = number(query, 'times').times ?? 1;
      if (times < 1) throw invalid('times: Input should be greater than or equal to 1');
      return faults.arm({
        fault,
        left: times,
        skip: number(query, 'skip').skip ?? 0,
        path: query.get('path') ?? '/v1/messages',
        model: query.get('model'),
      });
    }),
    route('DELETE', '/simulator/faults', () => {
      faults.clear();
      return { faults: [] };
    }),
  ];
};

const guarded =
  (clock: Clock, answer: (context: RequestContext) => unknown): Handler =>
  (context): Reply => {
    try {
      return { kind: 'json', headers: MARK, body: answer(context) };
    } catch (error) {
      const refusal = toRefusal(error);
      if (refusal === undefined) throw error;
      return errorReply(refusal, toRequestId(newId('req', clock)));
    }
  };

const text = <K extends string>(query: URLSearchParams, name: K): { readonly [P in K]?: string } => {
  const value = query.get(name);
  // The one member is named by K.
  return value === null ? {} : ({ [name]: value } as { readonly [P in K]?: string });
};

const number = <K extends string>(query: URLSearchParams, name: K): { readonly [P in K]?: number } => {
  const value = query.get(name);
  if (value === null) return {};
  if (!isWhole(value)) throw invalid(`${name}: Input should be a valid integer`);
  // The one member is named by K.
  return { [name]: Number(value) } as { readonly [P in K]?: number };
};
