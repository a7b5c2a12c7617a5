import { describe, expect, it } from 'vitest';
import { previewOf, toResultBlocks } from './tool-result.ts';

const blocks = (...content: Record<string, unknown>[]) => toResultBlocks({ content, isError: false });

describe('[E7.is-error] the result of a tool in the blocks of the API', () => {
  it('keeps texts and images', () => {
    const png = { type: 'image', data: 'aGk=', mimeType: 'image/png' };
    expect(blocks({ type: 'text', text: 'Hi' }, png, { type: 'other', value: 1 })).toEqual([
      { type: 'text', text: 'Hi' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
      { type: 'text', text: '{"type":"other","value":1}' },
    ]);
  });

  it('shows resources: their text, their image, where a link leads, and never the bytes of anything else', () => {
    const resource = (more: object) => ({ type: 'resource', resource: { uri: 'file:///a', ...more } });
    expect(
      blocks(
        resource({ text: 'Hi', mimeType: 'text/plain' }),
        resource({ blob: 'aGk=', mimeType: 'image/webp' }),
        resource({ blob: 'JVBERg==', mimeType: 'application/pdf' }),
        { type: 'resource_link', uri: 'file:///b', name: 'b.txt', description: 'The second' },
        { type: 'resource_link', uri: 'file:///c' },
        { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' },
      ),
    ).toEqual([
      { type: 'text', text: 'file:///a\nHi' },
      { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'aGk=' } },
      { type: 'text', text: 'file:///a [a file that cannot be shown: application/pdf]' },
      { type: 'text', text: '[b.txt](file:///b) The second' },
      { type: 'text', text: '[file:///c](file:///c)' },
      { type: 'text', text: '[a sound that cannot be shown: audio/wav]' },
    ]);
  });

  it('names an image that the API does not take', () => {
    expect(blocks({ type: 'image', data: 'PHN2Zz4=', mimeType: 'image/svg+xml' })).toEqual([
      { type: 'text', text: '[an image that cannot be shown: image/svg+xml]' },
    ]);
  });

  it('is never empty, for the API refuses empty texts', () => {
    expect(blocks()).toEqual([{ type: 'text', text: '(no output)' }]);
    expect(blocks({ type: 'text', text: '' })).toEqual([{ type: 'text', text: '(no output)' }]);
  });

  it('is cut at 100,000 characters over all texts, with a note, and not inside a character', () => {
    const cut = blocks({ type: 'text', text: 'a'.repeat(60_000) }, { type: 'text', text: `${'b'.repeat(39_999)}😀` });
    expect(cut.map((block) => String(block['text']).length)).toEqual([60_000, 39_999, 56]);
    expect(cut[2]?.['text']).toBe('[2 more characters were cut off; ask for a smaller part]');
  });

  it('is shown to people in its first 2,000 characters', () => {
    expect(previewOf(blocks({ type: 'text', text: 'x'.repeat(3000) }))).toHaveLength(2000);
    expect(previewOf([{ type: 'text', text: 'a' }, { type: 'image' }])).toBe('a\n[image]');
  });
});
