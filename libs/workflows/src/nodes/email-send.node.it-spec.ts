import { randomUUID } from 'node:crypto';
import { AppError, type Db, platformErrors, RateLimiter, SystemClock } from '#platform';
import { barrier, PinnedClock, testMail, useTestDb } from '#platform/testing';
import { emailSendNode } from './email-send.node';
import { anExecution, itKeepsTheContract } from './node-kind.contract';
import type { NodeOutcome } from './node-kind';

const letter = { to: ['ada@example.com'], subject: 'Your order', text: 'It is on its way.' };
const HOUR_MS = 60 * 60 * 1000;

interface Row {
  readonly id: string;
  readonly to_address: string;
  readonly subject: string;
  readonly body: Buffer;
}

describe('email.send', () => {
  const testDb = useTestDb();
  const { mail, open } = testMail();
  let clock: PinnedClock;
  let workspaceId: string;

  beforeEach(async () => {
    clock = new PinnedClock('2026-06-01T12:00:00Z');
    workspaceId = randomUUID();
    await testDb().sql('delete from mail_outbox');
  });

  function nodeOf({
    readersPerDay = 100,
    db = testDb().db,
  }: { readonly readersPerDay?: number; readonly db?: Db } = {}) {
    return emailSendNode({ db, mail, limiter: new RateLimiter(db, clock), readersPerDay });
  }

  async function send(
    params: object = {},
    {
      node = nodeOf(),
      key = randomUUID(),
    }: { readonly node?: ReturnType<typeof nodeOf>; readonly key?: string } = {},
  ): Promise<NodeOutcome> {
    const parsed = node.params.parse({ ...letter, ...params });
    return node.execute(anExecution(parsed, { workspaceId, idempotencyKey: key }));
  }

  const rows = (): Promise<Row[]> => testDb().sql<Row>('select * from mail_outbox order by id');

  describe('as a kind', () => {
    // Its contract is about params and ports: nothing of it reaches a database.
    const kind = emailSendNode({
      db: {} as Db,
      mail,
      limiter: new RateLimiter({} as Db, new SystemClock()),
      readersPerDay: 1,
    });
    itKeepsTheContract({
      kind,
      valid: [
        letter,
        { to: letter.to, subject: 'x', html: '<p>x</p>' },
        { ...letter, cc: letter.to, bcc: letter.to, replyTo: 'desk@example.com' },
        { ...letter, to: Array.from({ length: 50 }, (_, i) => `a${i}@example.com`) },
        { ...letter, to: [' ada@example.com '], subject: 'é'.repeat(500) },
      ],
      invalid: [
        { to: letter.to, subject: 'x' },
        { ...letter, to: [] },
        { ...letter, to: 'ada@example.com' },
        { ...letter, to: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) },
        { ...letter, to: ['Ada <ada@example.com>'] },
        { ...letter, to: ['ada@example.com, eve@example.com'] },
        { ...letter, to: ['ada@example.com\r\nBcc: eve@example.com'] },
        { ...letter, cc: ['ada@example.com\nBcc: eve@example.com'] },
        { ...letter, bcc: ['ada'] },
        { ...letter, replyTo: 'ada@example.com\r\nX-A: 1' },
        { ...letter, subject: '' },
        { ...letter, subject: 'Hi\r\nBcc: eve@example.com' },
        { ...letter, subject: 'Hi\nthere' },
        { ...letter, subject: 'Hi\u2028there' },
        { ...letter, subject: 'Hi\0there' },
        { ...letter, subject: 'x'.repeat(501) },
        { ...letter, text: '' },
        { ...letter, text: 'x'.repeat(200_001) },
        { ...letter, html: 'x'.repeat(500_001) },
        { ...letter, from: 'bank@example.com' },
        { ...letter, headers: { 'X-A': '1' } },
      ],
    });
  });

  it('puts the mail into the outbox, where nobody reads it', async () => {
    const readers = { cc: ['bob@example.com'], bcc: ['cyd@example.com'], replyTo: 'desk@example.com' };
    const outcome = await send({
      to: ['ada@example.com', 'al@example.com'],
      html: '<p>Soon</p>',
      ...readers,
    });
    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(outcome).toEqual({ kind: 'done', output: { queued: true, messageId: row?.id } });
    expect(row).toMatchObject({ to_address: 'ada@example.com', subject: 'Your order' });
    const [dumped] = await testDb().sql<{ row: string }>(`select mail_outbox::text as row from mail_outbox`);
    expect(dumped?.row).not.toMatch(/on its way|Soon|bob@|cyd@|al@|desk@/);
    expect(open(row?.id ?? '', row?.body ?? Buffer.alloc(0))).toEqual({
      text: letter.text,
      html: '<p>Soon</p>',
      alsoTo: ['al@example.com'],
      ...readers,
    });
  });

  it('queues and pays once when it is repeated after a crash', async () => {
    const node = nodeOf({ readersPerDay: 2 });
    const first = await send({}, { node, key: 'run:mail' });
    expect(await send({ subject: 'Computed anew' }, { node, key: 'run:mail' })).toEqual(first);
    expect(await rows()).toMatchObject([{ subject: 'Your order' }]);
    expect((await send({}, { node, key: 'run:second' })).kind).toBe('done');
    expect((await send({}, { node, key: 'run:third' })).kind).toBe('failed');
    // Also with nothing left of the budget: the mail was paid for.
    expect(await send({}, { node, key: 'run:mail' })).toEqual(first);
  });

  // Seen to fail without the key (`enqueue` in place of `enqueueOnce`), and with "look first, then insert" in place of the
  // index: 2 mails each, all that the budget pays for.
  it('queues once, and pays once, when workers that believe in their lease repeat it at the same moment', async () => {
    const dbs = await Promise.all(Array.from({ length: 4 }, () => testDb().connectAgain()));
    const together = barrier(12);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const db = dbs[i % 4];
        await together();
        return send({}, { node: nodeOf({ readersPerDay: 2, ...(db && { db }) }), key: 'run:mail' });
      }),
    );
    expect(await rows()).toHaveLength(1);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(outcomes[0]?.kind).toBe('done');
    const rest = nodeOf({ readersPerDay: 2 });
    expect((await send({}, { node: rest })).kind).toBe('done');
    expect((await send({}, { node: rest })).kind).toBe('failed');
  });

  // Seen to fail when the budget is taken in a transaction of its own, before the mail: nothing is left for the second.
  it('takes nothing from the budget for a mail that was not queued', async () => {
    const node = nodeOf({ readersPerDay: 3 });
    const broken = Object.create(mail);
    broken.enqueueOnce = async () => {
      throw new Error('no');
    };
    const limiter = new RateLimiter(testDb().db, clock);
    const failing = emailSendNode({ db: testDb().db, mail: broken, limiter, readersPerDay: 3 });
    await expect(send({}, { node: failing })).rejects.toThrow('no');
    expect((await send({ cc: ['b@example.com'], bcc: ['c@example.com'] }, { node })).kind).toBe('done');
  });

  it('counts every reader of a workspace, by the day, and leaves nothing of what is too much', async () => {
    const node = nodeOf({ readersPerDay: 24 });
    const many = (count: number) => ({ to: Array.from({ length: count }, (_, i) => `a${i}@example.com`) });
    expect((await send(many(22), { node })).kind).toBe('done');
    expect(await send({ cc: ['b@example.com'], bcc: ['c@example.com'] }, { node })).toEqual({
      kind: 'failed',
      error: {
        code: 'node.email_limit',
        message: expect.stringContaining('24 readers a day'),
        details: { perDay: 24, readers: 3 },
      },
      retryable: true,
      retryAfterSeconds: 3600,
    });
    expect(await rows()).toHaveLength(1);
    expect((await send(many(2), { node })).kind).toBe('done');
    clock.advance(HOUR_MS);
    expect((await send({}, { node })).kind).toBe('done');
    workspaceId = randomUUID();
    expect((await send(many(24), { node })).kind).toBe('done');
  });

  it('says of a mail with more readers than a day allows that waiting does not help', async () => {
    const outcome = await send({ cc: ['b@example.com'] }, { node: nodeOf({ readersPerDay: 1 }) });
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'node.email_limit' },
      retryable: false,
    });
    expect(outcome).not.toHaveProperty('retryAfterSeconds');
  });

  it('sends nothing where the operator says so', async () => {
    expect(await send({}, { node: nodeOf({ readersPerDay: 0 }) })).toMatchObject({
      error: { code: 'node.email_limit', message: expect.stringContaining('EMAILS_PER_DAY') },
      retryable: false,
    });
    expect(await rows()).toEqual([]);
  });

  it('may be tried again when the database is away', async () => {
    const away: Db = Object.create(testDb().db);
    away.control = () =>
      Promise.reject(new AppError(platformErrors.unavailable, { detail: 'away', retryAfterSeconds: 2 }));
    expect(await send({}, { node: nodeOf({ db: away }) })).toMatchObject({
      error: { code: 'node.email_unavailable' },
      retryable: true,
      retryAfterSeconds: 2,
    });
  });
});
