import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * People and the versions of the terms they accepted. An address is kept as it was typed and is unique whatever its
 * letter case. `password_hash` is null for people who only ever sign in through a provider.
 *
 * Rollback: drops both tables; every account is lost, so only before anyone has signed up.
 */
export class Users1763640003100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table users (
        id uuid not null,
        email text not null,
        name text not null,
        password_hash text,
        email_verified_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        constraint users_pkey primary key (id),
        constraint users_email_check check (length(email) between 3 and 254),
        constraint users_name_check check (length(name) between 1 and 100),
        constraint users_password_hash_check check (password_hash like '$argon2id$%')
      );
      create unique index users_lower_email_key on users (lower(email));

      create table user_terms_acceptances (
        user_id uuid not null,
        version text not null,
        accepted_at timestamptz not null,
        constraint user_terms_acceptances_pkey primary key (user_id, version),
        constraint user_terms_acceptances_version_check check (length(version) between 1 and 20),
        constraint user_terms_acceptances_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table user_terms_acceptances; drop table users;`);
  }
}
