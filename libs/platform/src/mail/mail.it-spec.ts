import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { barrier, CollectingLogger, CountingRandom, PinnedClock, planOf, useTestDb } from '#platform/testing';
import { parseConfig } from '../config/config';
import { Secret } from '../config/secret';
import { Keys } from '../crypto/keys';
import type { Db } from '../db/db';
import { statement } from '../db/statement';
import { Hints } from '../events/hints';
import { SystemRandom } from '../ids/random';
import { UuidV7Ids } from '../ids/ids';
import { Loops, SchedulerRegistry } from '../loops/loops';
import { SystemClock } from '../time/clock';
import { DevMailbox } from './dev-mailbox';
import { Mail, type MailToSend, type QueuedMail } from './mail';
import { MailBodies } from './mail-body';
import { MailDelivery } from './mail-delivery';
import { claimDueMails, findMailByKey } from './mail-outbox.sql';
import { MailTransport, type OutgoingMail } from './mail-transport.port';
import { SmtpTransport } from './smtp-transport';

const NOON = '2026-06-01T12:00:00.000Z';
const MINUTE_MS = 60_000;
const link = 'https://app.example.com/verify?token=s3cr3t-t0k3n';
const welcome = {
  to: 'ada@example.com',
  subject: 'Welcome',
  text: `Verify: ${link}`,
  html: `<a href="${link}">ok</a>`,
};
const never = new AbortController().signal;

/** A transport that remembers, and fails as long as it is told to. */
class RememberingTransport extends MailTransport {
  readonly sent: OutgoingMail[] = [];
  fault: string | null = null;

  async send(mail: OutgoingMail): Promise<void> {
    if (this.fault !== null) throw new Error(this.fault);
    this.sent.push(mail);
  }
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly body: Buffer | null;
  readonly last_error: string | null;
  readonly next_attempt_at: Date | null;
  readonly sent_at: Date | null;
}

/** A connection that has run a statement often plans it without looking at its parameters. */
const genericPlan = [
  statement('test-mail-generic', 'set local plan_cache_mode = force_generic_plan'),
  statement('test-mail-prepare', `prepare test_claim_mails as ${claimDueMails.text}`),
];
const explainClaim = statement<[], { readonly 'QUERY PLAN': string }>(
  'test-mail-explain',
  'explain execute test_claim_mails(null, 120, 10)',
);

describe('mail', () => {
  const testDb = useTestDb();
  const config = parseConfig({ MAIL_FROM: 'Millrace <no-reply@millrace.example>', NODE_ENV: 'test' });
  const random = new SystemRandom();
  const hints = new Hints();
  const bodies = new MailBodies(new Keys(Buffer.alloc(32, 5)), random);
  let clock: PinnedClock;
  let mail: Mail;

  beforeEach(async () => {
    clock = new PinnedClock(NOON);
    mail = new Mail(new UuidV7Ids(new SystemClock(), random), clock, hints, bodies);
    await testDb().sql('delete from mail_outbox');
  });

  function deliveryOf(transport: MailTransport, db: Db = testDb().db) {
    const logger = new CollectingLogger();
    const loops = new Loops(config, clock, new CountingRandom(), logger, new SchedulerRegistry());
    return new MailDelivery(config, db, transport, bodies, clock, loops, hints, logger);
  }

  const enqueue = (given: MailToSend = welcome): Promise<string> =>
    testDb().db.control((tx) => mail.enqueue(tx, given));
  const enqueueOnce = (key: string, given: MailToSend, db: Db = testDb().db): Promise<QueuedMail> =>
    db.control((tx) => mail.enqueueOnce(tx, key, given));
  const rows = (): Promise<Row[]> => testDb().sql<Row>('select * from mail_outbox order by id');

  it('arrives over SMTP with both bodies, and its body is gone from the database', async () => {
    const server = await startSmtp();
    const id = await enqueue();
    await expect(deliveryOf(new SmtpTransport(server.url)).runOnce(never)).resolves.toEqual({
      rows: 1,
      again: false,
    });
    await server.close();
    expect(server.received).toHaveLength(1);
    const [received] = server.received;
    expect(received).toMatchObject({ from: 'no-reply@millrace.example', to: ['ada@example.com'] });
    expect(received?.source).toContain(`Message-ID: <${id}@millrace.example>`);
    expect(received?.source).toContain('Subject: Welcome');
    expect(received?.source).toContain('To: ada@example.com');
    expect(received?.source).toContain('Content-Type: text/plain');
    expect(received?.source).toContain('Content-Type: text/html');
    expect(await rows()).toMatchObject([
      { state: 'sent', attempts: 1, body: null, next_attempt_at: null, sent_at: new Date(NOON) },
    ]);
  });

  it('reaches every reader, and names those of Bcc to nobody', async () => {
    const server = await startSmtp();
    await enqueue({
      ...welcome,
      alsoTo: ['bob@example.com'],
      cc: ['cyd@example.com'],
      bcc: ['dan@example.com', 'eve@example.com'],
      replyTo: 'desk@example.com',
    });
    const [dumped] = await testDb().sql<{ row: string }>(`select mail_outbox::text as row from mail_outbox`);
    expect(dumped?.row).not.toMatch(/bob|cyd|dan|eve|desk/);
    await deliveryOf(new SmtpTransport(server.url)).runOnce(never);
    await server.close();
    const [received, ...more] = server.received;
    expect(more).toEqual([]);
    expect(received?.to).toEqual(['ada', 'bob', 'cyd', 'dan', 'eve'].map((name) => `${name}@example.com`));
    expect(received?.source).toContain('To: ada@example.com, bob@example.com');
    expect(received?.source).toContain('Cc: cyd@example.com');
    expect(received?.source).toContain('Reply-To: desk@example.com');
    expect(received?.source).not.toMatch(/Bcc|dan@|eve@/);
  });

  it('may have a text or an HTML alone, and not nothing', async () => {
    const server = await startSmtp();
    await enqueue({ to: welcome.to, subject: 'Plain', text: 'Words' });
    await enqueue({ to: welcome.to, subject: 'Rich', html: '<b>Words</b>' });
    await expect(enqueue({ to: welcome.to, subject: 'Empty' })).rejects.toThrow('needs a text or an HTML');
    await deliveryOf(new SmtpTransport(server.url)).runOnce(never);
    await server.close();
    const sources = server.received.map(({ source }) => source);
    expect(sources.find((source) => source.includes('Plain'))).not.toContain('text/html');
    expect(sources.find((source) => source.includes('Rich'))).not.toContain('text/plain');
  });

  it('that some of its readers are refused is sent to the rest once, and says so', async () => {
    const server = await startSmtp({
      onRcptTo: ({ address }, _session, callback) =>
        address.startsWith('ada')
          ? callback()
          : callback(Object.assign(new Error('No such user'), { responseCode: 550 })),
    });
    await enqueue({ ...welcome, cc: ['bob@example.com'] });
    await deliveryOf(new SmtpTransport(server.url)).runOnce(never);
    await server.close();
    expect(server.received.map(({ to }) => to)).toEqual([['ada@example.com']]);
    const [row] = await rows();
    expect(row).toMatchObject({ state: 'sent', attempts: 1, body: null });
    expect(row?.last_error).toContain('Not sent to 1 of the readers');
    expect(row?.last_error).toContain('550 No such user');
  });

  it('with a key is queued once, and the first one counts', async () => {
    const first = await enqueueOnce('key', welcome);
    expect(first.isNew).toBe(true);
    expect(await enqueueOnce('key', { ...welcome, subject: 'Again' })).toEqual({
      id: first.id,
      isNew: false,
    });
    expect(await enqueueOnce('another key', welcome)).toMatchObject({ isNew: true });
    expect((await rows()).map(({ id }) => id)).toContain(first.id);
    await deliveryOf(new RememberingTransport()).runOnce(never);
    expect(await enqueueOnce('key', welcome)).toEqual({ id: first.id, isNew: false });
    expect(await rows()).toHaveLength(2);
  });

  it('with the key of a transaction that was rolled back is queued', async () => {
    const rolledBack = testDb().db.control(async (tx) => {
      await mail.enqueueOnce(tx, 'key', welcome);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(await enqueueOnce('key', welcome)).toMatchObject({ isNew: true });
  });

  // Seen to fail with "look for the key, then insert" in place of the index: 3 mails, as many as began at once.
  it('with a key is queued once by twenty who do it at the same moment', async () => {
    const dbs = await Promise.all(Array.from({ length: 4 }, () => testDb().connectAgain()));
    const together = barrier(20);
    const queued = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await together();
        return enqueueOnce('one key', welcome, dbs[index % 4]);
      }),
    );
    expect(queued.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(queued.map(({ id }) => id)).size).toBe(1);
    expect(await rows()).toHaveLength(1);
  });

  it('is found by its key through the index', async () => {
    await testDb().sql(
      `insert into mail_outbox (id, to_address, subject, state, created_at, sent_at, deduplication_key)
       select gen_random_uuid(), 'ada@example.com', 'Old', 'sent', now(), now(), 'key ' || n
         from generate_series(1, 5000) n`,
    );
    await testDb().sql('analyze mail_outbox');
    const plan = await planOf(testDb().db, findMailByKey);
    expect(plan).toContain('mail_outbox_deduplication_key_key');
    expect(plan).not.toContain('Seq Scan');
  });

  it('is queued if and only if the transaction commits, and then wakes the loop', async () => {
    let woken = 0;
    const quiet = hints.on({ name: 'mail.queued' }, () => (woken += 1));
    const rolledBack = testDb().db.control(async (tx) => {
      await mail.enqueue(tx, welcome);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect([await rows(), woken]).toEqual([[], 0]);
    await enqueue();
    expect([(await rows()).length, woken]).toEqual([1, 1]);
    quiet();
  });

  it('shows no token in a dump of the database, not even while it waits', async () => {
    await enqueue();
    const [dumped] = await testDb().sql<{ row: string }>(`select mail_outbox::text as row from mail_outbox`);
    const [{ body } = { body: null }] = await rows();
    expect(dumped?.row).toContain('ada@example.com');
    expect(dumped?.row).not.toContain('s3cr3t');
    expect(body?.includes('s3cr3t')).toBe(false);
  });

  it('may be queued by a request of a tenant, which can read no mail', async () => {
    const id = '0197a000-0000-7000-8000-000000000001';
    await testDb().sql('insert into tenants (workspace_id) values ($1) on conflict do nothing', [id]);
    await testDb().sql(
      `insert into workspace_directory (workspace_id, cell_id) values ($1, 'cell_1') on conflict do nothing`,
      [id],
    );
    await testDb().db.tenant(id, (tx) => mail.enqueue(tx, welcome));
    expect(await rows()).toHaveLength(1);
    const reading = testDb().db.tenant(id, (tx) =>
      tx.query({ name: 'test-read-mail', text: 'select body from mail_outbox' }),
    );
    await expect(reading).rejects.toThrow('permission denied');
  });

  it.each([
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com, eve@example.com',
    'Ada <ada@example.com>',
    'ada',
    '',
    `${'a'.repeat(250)}@example.com`,
  ])('refuses the address %j', async (to) => {
    await expect(enqueue({ ...welcome, to })).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it.each(['', 'Hi\r\nBcc: eve@example.com', 'Hi\nthere', 'nul\u0000', 'line\u2028', 'x'.repeat(501)])(
    'refuses the subject %j',
    async (subject) => {
      await expect(enqueue({ ...welcome, subject })).rejects.toMatchObject({ code: 'request.invalid' });
    },
  );

  it('is tried again after 1, 5, 30 minutes and so on, and given up after the eighth time', async () => {
    const transport = new RememberingTransport();
    const delivery = deliveryOf(transport);
    transport.fault = '451 try later\u0000';
    await enqueue();
    for (const [index, minutes] of [1, 5, 30, 120, 300, 600, 600].entries()) {
      await delivery.runOnce(never);
      const nextAttempt = new Date(clock.now().getTime() + minutes * MINUTE_MS);
      expect(await rows()).toMatchObject([
        { state: 'queued', attempts: index + 1, last_error: '451 try later', next_attempt_at: nextAttempt },
      ]);
      clock.advance(minutes * MINUTE_MS - 1);
      await expect(delivery.runOnce(never)).resolves.toMatchObject({ rows: 0 });
      clock.advance(1);
    }
    await delivery.runOnce(never);
    expect(await rows()).toMatchObject([
      { state: 'failed', attempts: 8, next_attempt_at: null, sent_at: null },
    ]);
    clock.advance(7 * 24 * 60 * MINUTE_MS);
    await expect(delivery.runOnce(never)).resolves.toMatchObject({ rows: 0 });
  });

  it('leaves after a fault once the server takes it again', async () => {
    const transport = new RememberingTransport();
    const delivery = deliveryOf(transport);
    transport.fault = 'down';
    await enqueue();
    await delivery.runOnce(never);
    transport.fault = null;
    clock.advance(MINUTE_MS);
    await delivery.runOnce(never);
    expect(await rows()).toMatchObject([{ state: 'sent', attempts: 2, last_error: null, body: null }]);
    expect(transport.sent).toMatchObject([{ text: welcome.text, html: welcome.html }]);
  });

  it('is sent again with the same Message-ID when the process dies between sending and recording', async () => {
    const transport = new RememberingTransport();
    const dying: Db = Object.create(testDb().db);
    let calls = 0;
    // The first statement claims; the second would record, and the process is gone by then.
    dying.executeControl = ((...args: Parameters<Db['executeControl']>) => {
      calls += 1;
      return calls === 1 ? testDb().db.executeControl(...args) : Promise.reject(new Error('died'));
    }) as Db['executeControl'];
    const id = await enqueue();
    await expect(deliveryOf(transport, dying).runOnce(never)).rejects.toThrow('died');
    expect(transport.sent).toHaveLength(1);

    const survivor = deliveryOf(transport);
    await expect(survivor.runOnce(never)).resolves.toMatchObject({ rows: 0 });
    clock.advance(2 * MINUTE_MS);
    await expect(survivor.runOnce(never)).resolves.toMatchObject({ rows: 1 });
    const messageId = `<${id}@millrace.example>`;
    expect(transport.sent.map((sent) => sent.messageId)).toEqual([messageId, messageId]);
    expect(await rows()).toMatchObject([{ state: 'sent', attempts: 2 }]);
  });

  it('is given up when process after process dies over it', async () => {
    const transport = new RememberingTransport();
    await enqueue();
    await testDb().sql('update mail_outbox set attempts = 8');
    await deliveryOf(transport).runOnce(never);
    expect(await rows()).toMatchObject([{ state: 'failed', attempts: 9 }]);
    expect(transport.sent).toEqual([]);
  });

  it('ignores a late failure of an attempt that lost its lease to one that succeeded', async () => {
    const quick = new RememberingTransport();
    await enqueue();
    const slow: MailTransport = {
      async send() {
        clock.advance(2 * MINUTE_MS);
        await deliveryOf(quick).runOnce(never);
        throw new Error('timed out');
      },
    };
    await deliveryOf(slow).runOnce(never);
    expect(quick.sent).toHaveLength(1);
    expect(await rows()).toMatchObject([{ state: 'sent', attempts: 2, last_error: null }]);
  });

  // Seen to fail when the claim does not move next_attempt_at: every loop then sends every mail.
  it('is sent once however many processes deliver at the same time', async () => {
    const transport = new RememberingTransport();
    for (let count = 0; count < 60; count += 1) await enqueue();
    const dbs = await Promise.all(Array.from({ length: 4 }, () => testDb().connectAgain()));
    const together = barrier(dbs.length);
    await Promise.all(
      dbs.map(async (db) => {
        const delivery = deliveryOf(transport, db);
        await together();
        while ((await delivery.runOnce(never)).rows > 0);
      }),
    );
    expect(transport.sent).toHaveLength(60);
    expect(new Set(transport.sent.map(({ messageId }) => messageId)).size).toBe(60);
    expect((await rows()).every(({ state, attempts }) => state === 'sent' && attempts === 1)).toBe(true);
  });

  it('is claimed by the index of what waits, however many have been sent', async () => {
    await testDb().sql(
      `insert into mail_outbox (id, to_address, subject, state, created_at, sent_at)
       select gen_random_uuid(), 'ada@example.com', 'Old', 'sent', now(), now() from generate_series(1, 5000)`,
    );
    await enqueue();
    await testDb().sql('analyze mail_outbox');
    const lines = await testDb().db.control(async (tx) => {
      for (const step of genericPlan) await tx.query(step);
      return tx.query(explainClaim);
    });
    const text = lines.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toContain('mail_outbox_next_attempt_at_idx');
    expect(text).not.toContain('Seq Scan');
  });

  it('holds no connection while it talks to the mail server', async () => {
    await enqueue();
    const during: unknown[] = [];
    const slow: MailTransport = {
      async send() {
        during.push(
          ...(await testDb().sql(
            `select state from pg_stat_activity where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
          )),
        );
      },
    };
    await deliveryOf(slow).runOnce(never);
    expect(during).toEqual([]);
  });

  it('reports what the server said, and does not wait for a silent one', async () => {
    const refusing = await startSmtp({
      onRcptTo: (_address, _session, callback) =>
        callback(Object.assign(new Error('No such user'), { responseCode: 550 })),
    });
    await enqueue();
    await deliveryOf(new SmtpTransport(refusing.url)).runOnce(never);
    await refusing.close();
    expect((await rows())[0]?.last_error).toContain('550 No such user');

    const silent = await startSmtp({ onConnect: () => undefined });
    const sending = new SmtpTransport(silent.url, 100).send({
      ...welcome,
      messageId: '<1@x>',
      from: 'a@example.com',
    });
    await expect(sending).rejects.toThrow('did not take the mail within 100 ms');
    await silent.close();
  });

  it('is kept in memory by the mailbox of development, newest first and not without end', async () => {
    const mailbox = new DevMailbox(clock);
    await enqueue();
    await deliveryOf(mailbox).runOnce(never);
    expect(mailbox.mails()).toMatchObject([
      { to: 'ada@example.com', text: welcome.text, receivedAt: new Date(NOON) },
    ]);
    expect(await rows()).toMatchObject([{ state: 'sent', body: null }]);
    for (let count = 0; count < 250; count += 1) {
      await mailbox.send({ ...welcome, subject: String(count), messageId: '<1@x>', from: 'a@example.com' });
    }
    expect(mailbox.mails()).toHaveLength(200);
    expect(mailbox.mails()[0]?.subject).toBe('249');
  });
});

interface ReceivedMessage {
  readonly from: string | null;
  readonly to: readonly string[];
  readonly source: string;
}

async function startSmtp(options: SMTPServerOptions = {}) {
  const received: ReceivedMessage[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : null,
          to: rcptTo.map(({ address }) => address),
          source: Buffer.concat(chunks).toString('utf8'),
        });
        callback();
      });
    },
    ...options,
  });
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => {
      const address = listening.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    received,
    url: new Secret(`smtp://127.0.0.1:${port}`),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}
