import type { TestDb } from '#platform/testing';
import { type Account, signUp } from './account';
import type { ApiClient } from './api-client';

/** Signs somebody up and makes them a member of a workspace, as if they had been invited. */
export async function memberOf(
  { workspaceId, home }: Account,
  { server, testDb, role }: { readonly server: ApiClient; readonly testDb: TestDb; readonly role: string },
): Promise<Account> {
  const account = await signUp(server);
  await testDb.sql('insert into workspace_members (workspace_id, user_id, role) values ($1, $2, $3)', [
    workspaceId,
    account.userId,
    role,
  ]);
  return { ...account, workspaceId, home };
}
