import { statement } from '../db/statement';

/** A mail that this process may send until its lease runs out. */
export interface ClaimedMail {
  readonly id: string;
  readonly toAddress: string;
  readonly subject: string;
  readonly body: Buffer;
  /** This attempt included. */
  readonly attempts: number;
}

/** Purpose: puts a mail into the outbox, in the transaction of what it tells about. Rows: one. */
export const enqueueMail = statement<
  [id: string, toAddress: string, subject: string, body: Buffer, now: Date | null]
>(
  'enqueue-mail',
  `insert into mail_outbox (id, to_address, subject, body, state, next_attempt_at, created_at)
   values ($1::uuid, $2, $3, $4::bytea, 'queued', coalesce($5::timestamptz, now()), coalesce($5::timestamptz, now()))`,
);

/**
 * Purpose: puts a mail into the outbox unless one with its key is there. Waits for a transaction that is about to put one
 * there. No row back: it is there (or was a moment ago), and `find-mail-by-key` finds it.
 * Locks: the key. Index: mail_outbox_deduplication_key_key. Rows: one or none.
 */
export const enqueueMailOnce = statement<
  [id: string, toAddress: string, subject: string, body: Buffer, key: string, now: Date | null],
  { readonly id: string }
>(
  'enqueue-mail-once',
  `insert into mail_outbox (id, to_address, subject, body, deduplication_key, state, next_attempt_at, created_at)
   values ($1::uuid, $2, $3, $4::bytea, $5::text, 'queued', coalesce($6::timestamptz, now()), coalesce($6::timestamptz, now()))
   on conflict (deduplication_key) where deduplication_key is not null do nothing
   returning id`,
);

/** Purpose: the mail that was queued under a key. Index: mail_outbox_deduplication_key_key. Rows: one or none. */
export const findMailByKey = statement<[key: string], { readonly id: string }>(
  'find-mail-by-key',
  `select id from mail_outbox where deduplication_key = $1::text`,
);

/**
 * Purpose: takes due mails for as long as the lease lasts, by moving their next attempt behind it. No lock outlives
 * the statement, and a process that dies while sending leaves rows that fall due again by themselves.
 * Locks: the rows claimed, skipping those another process is claiming. Index: mail_outbox_next_attempt_at_idx.
 */
export const claimDueMails = statement<[now: Date | null, leaseSeconds: number, most: number], ClaimedMail>(
  'claim-due-mails',
  `with due as materialized (
     select id from mail_outbox
      where state = 'queued' and next_attempt_at <= coalesce($1::timestamptz, now())
      order by next_attempt_at
      limit $3::int
        for update skip locked
   )
   update mail_outbox m
      set attempts = m.attempts + 1,
          next_attempt_at = coalesce($1::timestamptz, now()) + make_interval(secs => $2::int)
     from due
    where m.id = due.id
   returning m.id, m.to_address as "toAddress", m.subject, m.body, m.attempts`,
);

/**
 * Purpose: a mail has left; its body is erased with the same write, and who of its readers was refused is noted. A fact,
 * so it needs no fence. Rows: one.
 */
export const recordMailSent = statement<[id: string, refused: string | null, now: Date | null]>(
  'record-mail-sent',
  `update mail_outbox
      set state = 'sent', body = null, next_attempt_at = null, last_error = $2::text,
          sent_at = coalesce($3::timestamptz, now())
    where id = $1::uuid and state = 'queued'`,
);

/** Purpose: an attempt failed and another will follow. The attempt is the fence: a later one knows better. Rows: one. */
export const recordMailRetry = statement<
  [id: string, attempts: number, error: string, backoffSeconds: number, now: Date | null]
>(
  'record-mail-retry',
  `update mail_outbox
      set last_error = $3, next_attempt_at = coalesce($5::timestamptz, now()) + make_interval(secs => $4::int)
    where id = $1::uuid and state = 'queued' and attempts = $2::int`,
);

/** Purpose: the last attempt failed. The sealed body stays, so that an operator can queue the mail again. Rows: one. */
export const recordMailFailed = statement<[id: string, attempts: number, error: string]>(
  'record-mail-failed',
  `update mail_outbox
      set state = 'failed', last_error = $3, next_attempt_at = null
    where id = $1::uuid and state = 'queued' and attempts = $2::int`,
);
