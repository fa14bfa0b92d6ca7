import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Further ways to sign in, and what became of attempts. A TOTP secret is sealed; of recovery codes only the SHA-256 is
 * kept. `last_step` is the time step of the last code taken, so that none is taken twice. An attempt for an address
 * without an account has no `user_id`: it costs and leaves the same as one with a wrong password.
 *
 * Rollback: drops the tables; people who have no password can only come back by resetting it, second factors are off.
 */
export class SignInMethods1795260002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table user_identities (
        provider text not null,
        subject text not null,
        user_id uuid not null,
        email text not null,
        created_at timestamptz not null,
        constraint user_identities_pkey primary key (provider, subject),
        constraint user_identities_user_id_key unique (user_id, provider),
        constraint user_identities_provider_check check (provider in ('google', 'github')),
        constraint user_identities_subject_check check (length(subject) between 1 and 255),
        constraint user_identities_email_check check (length(email) between 3 and 254),
        constraint user_identities_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );

      create table user_second_factors (
        user_id uuid not null,
        secret bytea not null,
        last_step bigint,
        created_at timestamptz not null,
        -- Null while it is being set up: it is asked for from then on.
        enabled_at timestamptz,
        constraint user_second_factors_pkey primary key (user_id),
        constraint user_second_factors_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );

      create table user_recovery_codes (
        user_id uuid not null,
        code_hash bytea not null,
        used_at timestamptz,
        constraint user_recovery_codes_pkey primary key (user_id, code_hash),
        constraint user_recovery_codes_code_hash_check check (length(code_hash) = 32),
        constraint user_recovery_codes_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );

      create table sign_in_attempts (
        id uuid not null,
        user_id uuid,
        method text not null,
        outcome text not null,
        ip inet,
        user_agent text,
        at timestamptz not null,
        constraint sign_in_attempts_pkey primary key (id),
        constraint sign_in_attempts_method_check check (method in ('password', 'google', 'github')),
        constraint sign_in_attempts_outcome_check check (outcome in ('succeeded', 'wrong_password', 'wrong_code')),
        constraint sign_in_attempts_user_agent_check check (length(user_agent) <= 500),
        constraint sign_in_attempts_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );
      create index sign_in_attempts_user_id_idx on sign_in_attempts (user_id, id desc);
      create index sign_in_attempts_at_idx on sign_in_attempts (at);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table sign_in_attempts;
      drop table user_recovery_codes;
      drop table user_second_factors;
      drop table user_identities;`);
  }
}
