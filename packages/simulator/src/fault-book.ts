import type { RequestContext } from '@cloutagent/http';
import { parseFault, type FaultOrder } from './fault-order.ts';
import { invalid } from './refusal.ts';

/** A fault that waits for its requests. */
export interface ArmedFault {
  readonly id: number;
  readonly fault: string;
  /** Requests that still meet it. */
  readonly left: number;
  /** Requests that pass before. */
  readonly skip: number;
  /** Only requests for this path, and for this model where one is named. */
  readonly path: string;
  readonly model: string | null;
}

export interface FaultBook {
  /** The fault that a request meets: its own header's, else the oldest armed one that is meant for it. */
  take(context: Pick<RequestContext, 'headers' | 'url'>, model: string | undefined): FaultOrder | undefined;
  arm(fault: Omit<ArmedFault, 'id'>): ArmedFault;
  list(): readonly ArmedFault[];
  clear(): void;
}

const HEADER = 'x-cloutagent-fault';
/** A test arms a handful; more are a loop that went wrong. */
const MOST = 1000;

export const createFaultBook = (): FaultBook => {
  let armed: readonly ArmedFault[] = [];
  let nextId = 1;

  return {
    take({ headers, url }, model) {
      const asked = headers[HEADER];
      if (typeof asked === 'string') return read(asked);
      const meant = armed.find((one) => one.path === url.pathname && (one.model === null || one.model === model));
      if (meant === undefined) return undefined;
      const passes = meant.skip > 0;
      const used = passes ? { ...meant, skip: meant.skip - 1 } : { ...meant, left: meant.left - 1 };
      armed = armed.flatMap((one) => (one.id !== meant.id ? [one] : used.left > 0 ? [used] : []));
      return passes ? undefined : read(meant.fault);
    },
    arm(fault) {
      read(fault.fault);
      if (armed.length >= MOST) throw invalid(`No more than ${MOST} faults can wait; DELETE /simulator/faults`);
      const one = { id: nextId, ...fault };
      nextId += 1;
      armed = [...armed, one];
      return one;
    },
    list: () => armed,
    clear() {
      armed = [];
    },
  };
};

const read = (text: string): FaultOrder => {
  const order = parseFault(text);
  if ('problem' in order) throw invalid(`${HEADER}: ${order.problem}`);
  return order;
};
