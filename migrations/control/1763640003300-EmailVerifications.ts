import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tokens that were mailed to prove an address. Only the SHA-256 of a token is kept; `used_at` is set once, by a guarded
 * update.
 *
 * Rollback: drops the table; links that were mailed and not followed yet stop working.
 */
export class EmailVerifications1763640003300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table email_verifications (
        token_hash bytea not null,
        user_id uuid not null,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        constraint email_verifications_pkey primary key (token_hash),
        constraint email_verifications_token_hash_check check (length(token_hash) = 32),
        constraint email_verifications_expires_at_check check (expires_at > created_at),
        constraint email_verifications_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );
      create index email_verifications_user_id_idx on email_verifications (user_id);
      create index email_verifications_expires_at_idx on email_verifications (expires_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table email_verifications;`);
  }
}
