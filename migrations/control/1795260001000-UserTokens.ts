import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tokens of people that work once: to prove an address, to choose a new password, to delete an account, to go on with a
 * second factor. Takes the place of `email_verifications`, which knew one of these. A token that proves an address says
 * which, so that one mailed to an earlier address proves nothing of the present one. Only the SHA-256 of a token is
 * kept; `used_at` is set once, by a guarded update.
 *
 * Rollback: brings `email_verifications` back with the tokens that prove addresses; all others are lost.
 */
export class UserTokens1795260001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table user_tokens (
        token_hash bytea not null,
        user_id uuid not null,
        purpose text not null,
        -- The address that the token proves.
        email text,
        -- What has to be known when the token comes back.
        context jsonb,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        constraint user_tokens_pkey primary key (token_hash),
        constraint user_tokens_token_hash_check check (length(token_hash) = 32),
        constraint user_tokens_purpose_check
          check (purpose in ('verify_email', 'reset_password', 'delete_account', 'second_factor')),
        constraint user_tokens_email_check
          check ((purpose = 'verify_email') = (email is not null) and length(email) between 3 and 254),
        constraint user_tokens_context_check check (jsonb_typeof(context) = 'object'),
        constraint user_tokens_expires_at_check check (expires_at > created_at),
        constraint user_tokens_user_id_fkey foreign key (user_id) references users (id) on delete cascade
      );
      create index user_tokens_user_id_idx on user_tokens (user_id, purpose);
      create index user_tokens_expires_at_idx on user_tokens (expires_at);

      insert into user_tokens (token_hash, user_id, purpose, email, created_at, expires_at, used_at)
      select v.token_hash, v.user_id, 'verify_email', u.email, v.created_at, v.expires_at, v.used_at
        from email_verifications v join users u on u.id = v.user_id;
      drop table email_verifications;`);
  }

  async down(runner: QueryRunner): Promise<void> {
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
      create index email_verifications_expires_at_idx on email_verifications (expires_at);

      insert into email_verifications (token_hash, user_id, created_at, expires_at, used_at)
      select t.token_hash, t.user_id, t.created_at, t.expires_at, t.used_at
        from user_tokens t join users u on u.id = t.user_id
       where t.purpose = 'verify_email' and lower(t.email) = lower(u.email);
      drop table user_tokens;`);
  }
}
