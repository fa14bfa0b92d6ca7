import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * Answers already given to creating requests that carried an `Idempotency-Key`, written in the transaction of the
 * creation itself. `scope` is the principal and the route; `workspace_id` is null for keys used outside a workspace.
 *
 * Rollback: drops the table; a repeated request would then create again.
 */
export class IdempotencyKeys1763640001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotency_keys (
        scope text not null,
        key text not null,
        workspace_id uuid,
        request_hash bytea not null,
        response json,
        created_at timestamptz not null default now(),
        constraint idempotency_keys_pkey primary key (scope, key),
        constraint idempotency_keys_key_check check (length(key) between 1 and 255),
        constraint idempotency_keys_request_hash_check check (length(request_hash) = 32)
      );
      create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
      grant select, insert, update on idempotency_keys to millrace_tenant;
      ${tenantIsolation('idempotency_keys')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table idempotency_keys;`);
  }
}
