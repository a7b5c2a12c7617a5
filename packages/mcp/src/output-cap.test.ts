import { expect, test } from 'vitest';
import { capOutput } from './output-cap.ts';

const NAME = { server: 'a', tool: 'b' };
const text = (value: string) => ({ type: 'text', text: value });

test('[E5.bounds] texts are cut together, never inside a character, and what is no text stays', async () => {
  const image = { type: 'image', data: 'AA==' };
  const content = [text('x'.repeat(79_999)), image, text('🦊tail'), text('gone')];
  const { content: cut } = await capOutput({ content, isError: false }, NAME, undefined);
  expect(cut).toEqual([content[0], image, text('[10 of 80009 characters were cut off; ask for a smaller part.]')]);
});

test('what fits is given on as it came', async () => {
  const result = { content: [text('x'.repeat(80_000))], isError: false };
  expect(await capOutput(result, NAME, () => Promise.reject(new Error('not to be kept')))).toBe(result);
});
