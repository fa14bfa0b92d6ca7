import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How much of a rate limit somebody has used, one row for each policy and subject. `key` is the SHA-256 of both, so no
 * address of a person or a machine lies here. A row is worth nothing once `clear_at` has passed.
 *
 * Rollback: drops the table; every limit begins anew.
 */
export class RateLimits1795260000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table rate_limits (
        key bytea not null,
        policy text not null,
        -- When nothing of the budget is used any more, if nothing else is taken from it.
        clear_at timestamptz not null,
        constraint rate_limits_pkey primary key (key),
        constraint rate_limits_key_check check (length(key) = 32),
        constraint rate_limits_policy_check check (length(policy) between 1 and 60)
      );
      create index rate_limits_clear_at_idx on rate_limits (clear_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table rate_limits;`);
  }
}
