import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sign-ins that still hold. Only the SHA-256 of a token is kept. A session that ended is deleted, so there is no
 * "revoked" state that a lookup could forget to check.
 *
 * Rollback: drops the table; everyone is signed out.
 */
export class Sessions1763640003200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sessions (
        id uuid not null,
        user_id uuid not null,
        token_hash bytea not null,
        remember boolean not null,
        ip inet,
        user_agent text,
        created_at timestamptz not null,
        last_seen_at timestamptz not null,
        expires_at timestamptz not null,
        constraint sessions_pkey primary key (id),
        constraint sessions_token_hash_key unique (token_hash),
        constraint sessions_token_hash_check check (length(token_hash) = 32),
        constraint sessions_user_agent_check check (length(user_agent) <= 500),
        constraint sessions_expires_at_check check (expires_at > created_at),
        constraint sessions_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );
      create index sessions_user_id_idx on sessions (user_id);
      create index sessions_expires_at_idx on sessions (expires_at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table sessions;`);
  }
}
