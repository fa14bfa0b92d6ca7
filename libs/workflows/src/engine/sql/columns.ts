/**
 * Many rows travel to PostgreSQL as one text per column, joined by this character and taken apart there with
 * `string_to_array`. It cannot occur inside: ids and numbers do not contain it, and JSON texts escape all control
 * characters. An array parameter would be escaped element by element in JavaScript, which costs several times as much.
 */
const SEPARATOR = '\u001f';

/** The SQL that takes a column apart again: `column(3, 'uuid')`. An empty element is null. */
export function column(position: number, type: string): string {
  return `string_to_array($${position}::text, E'\\x1f', '')::${type}[]`;
}

/** Joins one column of many rows. Null and undefined become SQL nulls; so does the empty text. */
export function joined<T>(rows: readonly T[], valueOf: (row: T) => string | number | null): string {
  let text = '';
  for (let index = 0; index < rows.length; index += 1) {
    if (index > 0) text += SEPARATOR;
    const row = rows[index];
    if (row !== undefined) text += valueOf(row) ?? '';
  }
  return text;
}

/** The columns of rows that travel to a statement, in order: of which type, and how a row fills them. */
export interface RowColumns<T> {
  readonly [name: string]: readonly [type: string, valueOf: (row: T) => string | number | null];
}

/** Rows of one kind on their way to a statement: what stands in its text, and the parameters that fill it. */
export interface Rows<T> {
  /** A from clause: the rows under the alias `u`. An empty text is null. */
  readonly source: string;
  /** The position behind the last parameter. */
  readonly next: number;
  params(rows: readonly T[]): readonly string[];
}

/** Lays out rows from a position of the parameters on. */
export function rowsAt<T>(first: number, columns: RowColumns<T>): Rows<T> {
  const entries = Object.entries(columns);
  const arrays = entries.map(([, [type]], i) => column(first + i, type));
  return {
    source: `unnest(${arrays.join(', ')}) as u (${entries.map(([name]) => name).join(', ')})`,
    next: first + entries.length,
    params: (rows) => entries.map(([, [, valueOf]]) => joined(rows, valueOf)),
  };
}
