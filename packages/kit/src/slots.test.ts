import { describe, expect, it } from 'vitest';
import { openSlots } from './slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('hold so many at once, and let the others in by their order', async () => {
    const slots = openSlots(2, 100);
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, nth) => {
        const leave = await slots.take(never);
        inside += 1;
        most = Math.max(most, inside);
        order.push(nth);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside -= 1;
        leave?.();
        leave?.();
      }),
    );
    expect(most).toBe(2);
    expect(order).toEqual(Array.from({ length: 20 }, (_, nth) => nth));
    expect([slots.busy, slots.waiting]).toEqual([0, 0]);
  });

  it('tell who waits, turn away beyond the line, and forget who gives up', async () => {
    const slots = openSlots(1, 2);
    const leave = await slots.take(never);
    const positions: number[] = [];
    const controller = new AbortController();
    const first = slots.take(controller.signal, (position) => positions.push(position));
    const second = slots.take(never, (position) => positions.push(position));
    expect(await slots.take(never)).toBeUndefined();
    expect(positions).toEqual([1, 2]);
    controller.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    leave?.();
    (await second)?.();
    expect([slots.busy, slots.waiting]).toEqual([0, 0]);
  });
});
