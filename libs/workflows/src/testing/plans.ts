import type { Statement } from '#platform';
import type { TestDb } from '#platform/testing';

export type AnyStatement = Statement<readonly unknown[], unknown>;

/** How a statement is executed whatever its parameters. */
export async function explained({ sql }: TestDb, { name, text }: AnyStatement): Promise<string> {
  const prepared = `plan_${name.replaceAll('-', '_')}`;
  await sql(`prepare ${prepared} as ${text}`);
  const [count] = await sql<{ n: number }>(
    'select cardinality(parameter_types) as n from pg_prepared_statements where name = $1',
    [prepared],
  );
  const nulls = Array.from({ length: count?.n ?? 0 }, () => 'null').join(', ');
  const rows = await sql<{ 'QUERY PLAN': string }>(
    `explain execute ${prepared}${nulls === '' ? '' : `(${nulls})`}`,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** The tables that a plan reads from end to end, but for those that are small by nature. */
export function tablesReadWhole(plan: string, small: ReadonlySet<string> = new Set()): readonly string[] {
  const whole = [...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table ?? '');
  return whole.filter((table) => !small.has(table));
}
