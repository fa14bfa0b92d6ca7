import { AppError } from '../errors/app-error';
import { etagOf, expectedRevisionOf, staleRevision } from './etag';

it('reads back the tag it writes', () => {
  expect(expectedRevisionOf(etagOf(7))).toBe(7);
  expect(expectedRevisionOf(' "0" ')).toBe(0);
});

it('takes the star as any revision', () => {
  expect(expectedRevisionOf('*')).toBe('any');
});

it.each([undefined, '', '7', 'W/"7"', '"7", "8"', '"07"', '"-1"', '"1e3"', `"${'9'.repeat(16)}"`])(
  'refuses %s',
  (header) => {
    expect(() => expectedRevisionOf(header)).toThrow(AppError);
  },
);

it('tells the current revision when the expected one is stale', () => {
  expect(staleRevision(6, 7).context).toMatchObject({ meta: { currentRevision: 7 } });
});
