import { z } from 'zod';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

const CURSOR_VERSION = 1;
const CURSOR_MAX_CHARS = 1_000;
const PAGE_MAX = 100;
const PAGE_DEFAULT = 20;

/** Query parameters of every listing: `?limit=1..100&cursor=<opaque>`. A listing extends it with its filters. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().min(1).max(CURSOR_MAX_CHARS).optional(),
});

/** One page of a listing. `nextCursor` continues after its last item; null on the last page. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

/**
 * The values of a row that the listing is ordered by, e.g. `{ id }`. A timestamp among them must be the text PostgreSQL
 * gave (`created_at::text`): a JavaScript date drops its microseconds and the next page would skip or repeat rows.
 */
export type CursorPosition = Readonly<Record<string, string | number | boolean | null>>;

/** The schema of a page for the API document: `pageSchema(runView)` becomes the component `RunViewPage`. Call it once per item. */
export function pageSchema<T extends z.ZodType>(item: T) {
  const page = z.object({ data: z.array(item), hasMore: z.boolean(), nextCursor: z.string().nullable() });
  const id = z.globalRegistry.get(item)?.id;
  return id === undefined ? page : page.meta({ id: `${id}Page` });
}

/** Makes a page of `limit + 1` fetched rows: the row too many only says that there is more. */
export function pageOf<R>(rows: readonly R[], limit: number, cursorOf: (row: R) => CursorPosition): Page<R> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { data, hasMore, nextCursor: hasMore ? encodeCursor(cursorOf(last)) : null };
}

/** Writes a position as an opaque, versioned text that is safe in a URL. */
export function encodeCursor(position: CursorPosition): string {
  return Buffer.from(JSON.stringify([CURSOR_VERSION, position])).toString('base64url');
}

/**
 * Reads a cursor back; null for an absent one. `schema` must accept nothing that the listing's SQL could choke on
 * (`z.strictObject({ id: z.uuid() })`), because people do edit cursors. Throws request.invalid at `?cursor`.
 */
export function decodeCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | null {
  if (cursor === undefined) return null;
  const parsed = z.tuple([z.literal(CURSOR_VERSION), schema]).safeParse(parseCursor(cursor));
  if (parsed.success) return parsed.data[1];
  const message =
    'This cursor was not given by this listing. Take nextCursor as it is, or start without a cursor.';
  throw new AppError(platformErrors.invalid, {
    detail: message,
    problems: [{ pointer: '?cursor', code: 'cursor', message }],
  });
}

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
