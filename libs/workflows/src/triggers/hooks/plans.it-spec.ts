import { randomUUID } from 'node:crypto';
import type { Statement } from '#platform';
import { planOf, useTestDb } from '#platform/testing';
import { aHook } from './testing/hook-rooms';
import { findDelivery, listDeliveries, purgeDeliveries, trimRejected } from './hook-deliveries.sql';
import { claimReplays, giveUpReplays, purgeReplays, readReplays, releaseReplays } from './hook-replays.sql';
import { catalogEntities } from '../../catalog/catalog-entities';
import {
  deleteSecrets,
  dropEarlierSecrets,
  endSecret,
  listSecrets,
  lockHook,
  purgeSecrets,
  rotateToken,
} from './hook-secrets.sql';
import { findRunAnswer } from './run-answers.sql';

type AnyStatement = Pick<Statement<never, unknown>, 'name' | 'text'>;

/** The index by which each statement finds its rows; none may read a table whole. */
const EXPECTED: readonly (readonly [AnyStatement, string])[] = [
  [trimRejected, 'hook_deliveries_rejected_idx'],
  [purgeDeliveries, 'hook_deliveries_expires_at_idx'],
  [listDeliveries, 'hook_deliveries_workspace_id_hook_id_id_idx'],
  [findDelivery, 'hook_deliveries_pkey'],
  [giveUpReplays, 'hook_replays_pkey'],
  [claimReplays, ''],
  [readReplays, 'hook_replays_pkey'],
  [releaseReplays, 'hook_replays_pkey'],
  [purgeReplays, 'hook_replays_expires_at_idx'],
  [listSecrets, 'hook_secrets_workspace_id_hook_id_idx'],
  [dropEarlierSecrets, 'hook_secrets_'],
  [endSecret, 'hook_secrets_current_key'],
  [deleteSecrets, 'hook_secrets_workspace_id_hook_id_idx'],
  [purgeSecrets, 'hook_secrets_valid_until_idx'],
  [lockHook, 'workflow_hooks_'],
  [rotateToken, 'workflow_hooks_'],
  [findRunAnswer, 'workflow_node_runs_default_pkey'],
];

describe('the plans of the inbox’s statements', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 1 });

  beforeAll(async () => {
    const { hookId, workspaceId, workflowId } = await aHook(testDb());
    const { sql } = testDb();
    await sql(
      `insert into workflow_hooks (id, workspace_id, workflow_id, node_id)
       select gen_random_uuid(), $1, $2, 'node_' || n from generate_series(1, 2000) n`,
      [workspaceId, workflowId],
    );
    await sql(
      `insert into hook_deliveries (id, workspace_id, hook_id, workflow_id, state, reason, method, headers, query,
                                    body_bytes, expires_at)
       select gen_random_uuid(), $1, case when n % 2 = 0 then $2 else gen_random_uuid() end, $3,
              case when n % 50 = 0 then 'rejected' else 'refused' end, 'x', 'POST', '{}', '{}', 0,
              now() + n * interval '1 minute'
         from generate_series(1, 20000) n`,
      [workspaceId, hookId, workflowId],
    );
    await sql(
      `insert into hook_replays (hook_id, digest, workspace_id, delivery_id, expires_at)
       select $2, sha256(n::text::bytea), $1, gen_random_uuid(), now() + n * interval '1 second'
         from generate_series(1, 20000) n`,
      [workspaceId, hookId],
    );
    await sql(
      `insert into hook_secrets (id, workspace_id, hook_id, kind, sealed, set_by, valid_until)
       select gen_random_uuid(), $1, h.id, 'signing', 'x', 'user:x', case n when 1 then now() + interval '1 day' end
         from workflow_hooks h cross join generate_series(1, 2) n`,
      [workspaceId],
    );
    await sql('insert into tenants (workspace_id) values ($1)', [randomUUID()]);
    await sql('analyze');
  }, 60_000);

  it.each(EXPECTED.map(([statement, index]) => [statement.name, statement, index] as const))(
    '%s goes by its index and reads no table whole',
    async (_, statement, index) => {
      const plan = await planOf(testDb().db, statement);
      expect(plan).not.toMatch(/Seq Scan on (?!u\b)/);
      expect(plan).toContain(index);
    },
  );
});
