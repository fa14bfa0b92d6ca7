import fc from 'fast-check';
import { z } from 'zod';
import { AppError } from '../errors/app-error';
import { decodeCursor, encodeCursor, pageOf, pageQuery, pageSchema } from './page';

const position = z.strictObject({ id: z.string() });

describe('cursors', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (id) => {
        expect(decodeCursor(encodeCursor({ id }), position)).toEqual({ id });
      }),
    );
  });

  it('that are absent begin at the first page', () => {
    expect(decodeCursor(undefined, position)).toBeNull();
  });

  it.each([
    'x',
    '',
    '!!!',
    'bnVsbA',
    encodeCursor({ id: 1 }),
    encodeCursor({ id: 'a', more: 1 }),
    'WzIseyJpZCI6ImEifV0',
  ])('that nobody gave (%s) are refused at their place', (cursor) => {
    const refused = expect.objectContaining({
      context: expect.objectContaining({ problems: [expect.objectContaining({ pointer: '?cursor' })] }),
    });
    expect(() => decodeCursor(cursor, position)).toThrow(AppError);
    expect(() => decodeCursor(cursor, position)).toThrow(refused);
  });
});

describe('pageOf', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id }));

  it('keeps the row too many to itself and continues after the last row shown', () => {
    const page = pageOf(rows, 2, ({ id }) => ({ id }));
    expect(page).toMatchObject({ data: [{ id: 'a' }, { id: 'b' }], hasMore: true });
    expect(decodeCursor(page.nextCursor ?? undefined, position)).toEqual({ id: 'b' });
  });

  it('says that a full page with nothing behind it is the last', () => {
    expect(pageOf(rows, 3, ({ id }) => ({ id }))).toEqual({ data: rows, hasMore: false, nextCursor: null });
  });
});

describe('pageQuery', () => {
  it.each([
    [{}, 20],
    [{ limit: '1' }, 1],
    [{ limit: '100' }, 100],
  ])('reads %j', (query, limit) => {
    expect(pageQuery.parse(query).limit).toBe(limit);
  });

  it.each(['0', '101', '1.5', 'x', '', 'Infinity'])('refuses a limit of "%s"', (limit) => {
    expect(pageQuery.safeParse({ limit }).success).toBe(false);
  });
});

it('names a page after its item in the API document', () => {
  const item = z.object({ id: z.string() }).meta({ id: 'SpecItemView' });
  expect(z.globalRegistry.get(pageSchema(item))?.id).toBe('SpecItemViewPage');
});
