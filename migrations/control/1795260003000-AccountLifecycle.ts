import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Before an account and after it: addresses that wait to be let in, and the record that an account was deleted, which
 * names nobody (`user_id` refers to no row any more).
 *
 * Rollback: drops both tables; the waiting list and the record of deletions are lost.
 */
export class AccountLifecycle1795260003000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table waitlist_entries (
        id uuid not null,
        email text not null,
        created_at timestamptz not null,
        constraint waitlist_entries_pkey primary key (id),
        constraint waitlist_entries_email_check check (length(email) between 3 and 254)
      );
      create unique index waitlist_entries_lower_email_key on waitlist_entries (lower(email));

      create table account_deletions (
        id uuid not null,
        user_id uuid not null,
        counts jsonb not null,
        ip inet,
        user_agent text,
        at timestamptz not null,
        constraint account_deletions_pkey primary key (id),
        constraint account_deletions_user_id_key unique (user_id),
        constraint account_deletions_counts_check check (jsonb_typeof(counts) = 'object'),
        constraint account_deletions_user_agent_check check (length(user_agent) <= 500)
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table account_deletions; drop table waitlist_entries;`);
  }
}
