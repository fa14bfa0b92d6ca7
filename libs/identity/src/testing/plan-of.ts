import { type Db, type Statement, statement } from '#platform';

const genericPlans = statement<[]>('test-generic-plans', `set local plan_cache_mode = force_generic_plan`);

/** How PostgreSQL runs a statement whatever its parameters, as the lines of EXPLAIN. */
export async function planOf(db: Db, { name, text }: Pick<Statement<never, unknown>, 'name' | 'text'>) {
  const count = new Set(text.match(/\$\d+/g)).size;
  const nulls = Array.from({ length: count }, () => 'null').join(', ');
  return db.control(async (tx) => {
    await tx.query(genericPlans);
    await tx.query({ name: `test-prepare-${name}`, text: `prepare "explained-${name}" as ${text}` });
    const rows = await tx.query<readonly [], { readonly 'QUERY PLAN': string }>({
      name: `test-explain-${name}`,
      text: `explain (costs off) execute "explained-${name}"(${nulls})`,
    });
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
}
