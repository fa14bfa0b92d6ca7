import { encodeEvent } from './sse';

it('writes an event with its data as one line of JSON', () => {
  const event = { id: '7', event: 'run.finished', data: { text: 'two\nlines' } };
  expect(encodeEvent(event)).toBe('id: 7\nevent: run.finished\ndata: {"text":"two\\nlines"}\n\n');
  expect(encodeEvent({ data: null })).toBe('data: null\n\n');
});

it.each(['a\nb', 'a\rb', 'a\0'])('refuses an id that would break out of its line', (id) => {
  expect(() => encodeEvent({ id, data: 1 })).toThrow('control characters');
});
