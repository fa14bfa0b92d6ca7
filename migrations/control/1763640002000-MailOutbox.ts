import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Mails to send, written in the transaction of what they tell about. `body` is sealed (it holds links that sign people
 * in) and is erased when the mail has been sent. Requests of a tenant may add mails and see none.
 *
 * Rollback: drops the table; mails that were not sent yet are lost.
 */
export class MailOutbox1763640002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table mail_outbox (
        id uuid not null,
        to_address text not null,
        subject text not null,
        body bytea,
        state text not null,
        attempts integer not null default 0,
        next_attempt_at timestamptz,
        last_error text,
        created_at timestamptz not null,
        sent_at timestamptz,
        constraint mail_outbox_pkey primary key (id),
        constraint mail_outbox_to_address_check check (length(to_address) between 3 and 254),
        constraint mail_outbox_subject_check check (length(subject) between 1 and 500),
        constraint mail_outbox_state_check check (state in ('queued', 'sent', 'failed')),
        constraint mail_outbox_body_check check ((state = 'sent') = (body is null)),
        constraint mail_outbox_attempts_check check (attempts >= 0),
        constraint mail_outbox_next_attempt_at_check check ((state = 'queued') = (next_attempt_at is not null)),
        constraint mail_outbox_last_error_check check (length(last_error) <= 500),
        constraint mail_outbox_sent_at_check check ((state = 'sent') = (sent_at is not null))
      );
      create index mail_outbox_next_attempt_at_idx on mail_outbox (next_attempt_at) where state = 'queued';
      grant insert on mail_outbox to millrace_tenant;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table mail_outbox;`);
  }
}
