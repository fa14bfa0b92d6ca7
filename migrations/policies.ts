/**
 * The two policies of every table that has a `workspace_id`, as SQL text. Written out once because a table with a
 * slightly different policy is a hole: a tenant sees the rows of the workspace its transaction was opened for, the
 * owner role (engine, loops, migrations) sees all.
 *
 * After a commit the setting reads back as '' on that connection, not as null; hence `nullif`.
 */
export function tenantIsolation(table: string, column = 'workspace_id'): string {
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy tenant_isolation on ${table} to millrace_tenant
      using (${column} = nullif(current_setting('millrace.workspace_id', true), '')::uuid)
      with check (${column} = nullif(current_setting('millrace.workspace_id', true), '')::uuid);
    create policy owner_access on ${table} to millrace_owner using (true) with check (true);`;
}
