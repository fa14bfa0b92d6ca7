import { createServer, type AddressInfo, type Socket, connect } from 'node:net';
import { CollectingLogger, CountingRandom, eventually, useTestDb } from '#platform/testing';
import { Notifications } from './listener';

describe('Notifications', () => {
  const testDb = useTestDb();
  const opened: Notifications[] = [];

  function open(options: { readonly url?: string; readonly healthEveryMs?: number } = {}) {
    const logger = new CollectingLogger();
    const notifications = new Notifications({
      url: testDb().url,
      random: new CountingRandom(),
      logger,
      answerWithinMs: 500,
      ...options,
    });
    opened.push(notifications);
    return { notifications, logger };
  }

  function collect(notifications: Notifications, channel: string): (string | null)[] {
    const seen: (string | null)[] = [];
    notifications.listen(channel, (payload) => seen.push(payload));
    return seen;
  }

  async function notify(channel: string, payload: string): Promise<void> {
    await testDb().sql('select pg_notify($1, $2)', [channel, payload]);
  }

  afterEach(async () => {
    for (const notifications of opened.splice(0)) await notifications.stop();
    await eventually(async () => {
      const left = await testDb().sql(
        `select 1 from pg_stat_activity where application_name = 'millrace-listen' and datname = current_database()`,
      );
      expect(left).toEqual([]);
    });
  });

  it('asks for a sweep once it listens, and then hands on what is notified, channel by channel', async () => {
    const { notifications } = open();
    const runs = collect(notifications, 'test_runs');
    const mails = collect(notifications, 'test_mails');
    await eventually(() => expect([runs, mails]).toEqual([[null], [null]]));
    await notify('test_runs', 'r1');
    await notify('test_mails', '');
    await eventually(() =>
      expect([runs, mails]).toEqual([
        [null, 'r1'],
        [null, ''],
      ]),
    );
  });

  it('takes a channel that is added while it is connected, and stops telling whoever has enough', async () => {
    const { notifications } = open();
    const first = collect(notifications, 'test_first');
    await eventually(() => expect(first).toEqual([null]));
    const late: (string | null)[] = [];
    const unlisten = notifications.listen('test_late', (payload) => late.push(payload));
    await eventually(() => expect(late).toEqual([null]));
    await notify('test_late', 'one');
    await eventually(() => expect(late).toEqual([null, 'one']));
    unlisten();
    await notify('test_late', 'two');
    await notify('test_first', 'end');
    await eventually(() => expect(first).toEqual([null, 'end']));
    expect(late).toEqual([null, 'one']);
  });

  it('listens again after its backend was terminated, and asks for a sweep', async () => {
    const { notifications, logger } = open();
    const seen = collect(notifications, 'test_killed');
    await eventually(() => expect(seen).toEqual([null]));
    await testDb().sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'millrace-listen' and datname = current_database()`,
    );
    await eventually(() => expect(seen).toEqual([null, null]));
    await notify('test_killed', 'afterwards');
    await eventually(() => expect(seen).toEqual([null, null, 'afterwards']));
    expect(logger.messages('warn')).toEqual(['The connection for notifications is lost.']);
  });

  it('notices a connection that went silent without being closed', async () => {
    const proxy = await silentProxy(testDb().url);
    const { notifications } = open({ url: proxy.url, healthEveryMs: 50 });
    const seen = collect(notifications, 'test_silent');
    await eventually(() => expect(seen).toEqual([null]));
    proxy.silence();
    await notify('test_silent', 'lost');
    await eventually(() => expect(seen).toEqual([null, null]));
    await notify('test_silent', 'heard');
    await eventually(() => expect(seen).toEqual([null, null, 'heard']));
    await notifications.stop();
    await proxy.close();
  });

  it('survives a handler that throws, and goes on telling the others', async () => {
    const { notifications, logger } = open();
    notifications.listen('test_throws', () => {
      throw new Error('handler');
    });
    const seen = collect(notifications, 'test_throws');
    await eventually(() => expect(seen).toEqual([null]));
    expect(logger.messages('error')).toEqual(['A handler of notifications threw.']);
  });

  it.each(['', 'Upper', 'a-b', 'a"; drop table x', `a${'b'.repeat(63)}`])(
    'refuses the channel %j',
    (channel) => {
      const { notifications } = open();
      expect(() => notifications.listen(channel, () => undefined)).toThrow('cannot name a channel');
    },
  );

  it('can be stopped before and while it connects', async () => {
    const { notifications } = open();
    await notifications.stop();
    const other = open().notifications;
    const seen = collect(other, 'test_stopped');
    await other.stop();
    expect(seen).toEqual([]);
  });
});

/** A proxy that can stop carrying the bytes of its present connections without closing them. */
async function silentProxy(target: string) {
  const { hostname, port } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.on('error', () => undefined).on('close', () => far.destroy());
    far.on('error', () => undefined).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
    pairs.add([near, far]);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.toString(),
    silence: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
    close: async () => {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
