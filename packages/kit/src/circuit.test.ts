import { describe, expect, it } from 'vitest';
import { openCircuit, type Circuit, type CircuitOutcome } from './circuit.ts';
import { systemClock } from './clock.ts';

const rig = (threshold = 3, openMs = 60_000) => {
  let monotonic = 1000;
  let wall = 0;
  const circuit = openCircuit({ threshold, openMs }, { ...systemClock, now: () => wall, monotonic: () => monotonic });
  return {
    circuit,
    pass: (ms: number) => (monotonic += ms),
    jump: (ms: number) => (wall += ms),
    trip: () => {
      for (let call = 0; call < threshold; call += 1) end(circuit, 'failure');
    },
  };
};

const begin = (circuit: Circuit): ((outcome: CircuitOutcome) => void) => {
  const entry = circuit.enter();
  if (!('end' in entry)) throw new Error('refused');
  return entry.end;
};
const end = (circuit: Circuit, outcome: CircuitOutcome): void => begin(circuit)(outcome);
const refused = (circuit: Circuit): boolean => !('end' in circuit.enter());

describe('[C4.breaker] [C4.clock] [E11.breaker] [D8] the circuit', () => {
  it('opens after so many failures in a row, and says how long', () => {
    const { circuit, pass } = rig();
    end(circuit, 'failure');
    end(circuit, 'failure');
    end(circuit, 'success');
    end(circuit, 'failure');
    end(circuit, 'failure');
    expect(circuit.state()).toBe('closed');
    end(circuit, 'failure');
    expect(circuit.state()).toBe('open');
    pass(20_000);
    expect(circuit.enter()).toEqual({ retryAfterMs: 40_000 });
  });

  it('[M17] lets exactly one of 1,000 waiters probe', () => {
    const { circuit, pass, trip } = rig();
    trip();
    pass(60_000);
    expect(circuit.state()).toBe('half-open');
    const entries = Array.from({ length: 1000 }, () => circuit.enter());
    expect(entries.filter((entry) => 'end' in entry)).toHaveLength(1);
  });

  it('closes with a probe that succeeds, and opens for as long again with one that fails', () => {
    const { circuit, pass, trip } = rig();
    trip();
    pass(60_000);
    end(circuit, 'failure');
    expect(circuit.enter()).toEqual({ retryAfterMs: 60_000 });
    pass(60_000);
    end(circuit, 'success');
    expect(circuit.state()).toBe('closed');
    end(circuit, 'failure');
    expect(circuit.state()).toBe('closed');
  });

  it('gives the place of a probe that was given up to the next', () => {
    const { circuit, pass, trip } = rig();
    trip();
    pass(60_000);
    const probe = begin(circuit);
    expect(refused(circuit)).toBe(true);
    probe('void');
    end(circuit, 'success');
    expect(circuit.state()).toBe('closed');
  });

  it('[M17] does not care for a wall clock that jumps an hour', () => {
    const { circuit, pass, jump, trip } = rig();
    trip();
    jump(-3_600_000);
    pass(59_999);
    expect(refused(circuit)).toBe(true);
    pass(1);
    expect(refused(circuit)).toBe(false);
    const other = rig();
    other.trip();
    other.jump(3_600_000);
    expect(refused(other.circuit)).toBe(true);
  });

  it('does not count what outcomes of another time say', () => {
    const { circuit, pass, trip } = rig();
    const late = begin(circuit);
    trip();
    late('success');
    expect(circuit.state()).toBe('open');
    pass(60_000);
    end(circuit, 'success');
    const early = Array.from({ length: 3 }, () => begin(circuit));
    trip();
    pass(60_000);
    end(circuit, 'success');
    for (const call of early) call('failure');
    expect(circuit.state()).toBe('closed');
  });

  it('counts a call once, however often it is ended', () => {
    const { circuit } = rig();
    const call = begin(circuit);
    for (let times = 0; times < 10; times += 1) call('failure');
    expect(circuit.state()).toBe('closed');
  });
});
