import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A mail may have a key of which there is one: whoever is not sure whether it was queued, because a process died over
 * it, queues it again under the same key. Mails without a key are as they were.
 *
 * Rollback: drops the keys; what is queued again after that is sent again.
 */
export class MailDeduplicationKeys1795265000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      set local lock_timeout = '3s';
      alter table mail_outbox
        add column deduplication_key text,
        add constraint mail_outbox_deduplication_key_check check (length(deduplication_key) between 1 and 255);
      create unique index mail_outbox_deduplication_key_key on mail_outbox (deduplication_key)
        where deduplication_key is not null;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index mail_outbox_deduplication_key_key;
      alter table mail_outbox
        drop constraint mail_outbox_deduplication_key_check,
        drop column deduplication_key;`);
  }
}
