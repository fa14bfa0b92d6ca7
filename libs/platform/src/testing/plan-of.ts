import type { Db } from '../db/db';
import type { Statement } from '../db/statement';

/** No `statement`: those are all counted, and can all be prepared. */
const genericPlans = {
  name: 'test-generic-plans',
  text: 'set local plan_cache_mode = force_generic_plan',
} as const;

/** How PostgreSQL runs a statement whatever its parameters, as the lines of EXPLAIN. */
export async function planOf(db: Db, { name, text }: Pick<Statement<never, unknown>, 'name' | 'text'>) {
  const count = new Set(text.match(/\$\d+/g)).size;
  const nulls = Array.from({ length: count }, () => 'null').join(', ');
  return db.control(async (tx) => {
    await tx.query(genericPlans);
    await tx.query({ name: `test-prepare-${name}`, text: `prepare "explained-${name}" as ${text}` });
    const rows = await tx.query<readonly [], { readonly 'QUERY PLAN': string }>({
      name: `test-explain-${name}`,
      text: `explain (costs off) execute "explained-${name}"${count === 0 ? '' : `(${nulls})`}`,
    });
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
}
