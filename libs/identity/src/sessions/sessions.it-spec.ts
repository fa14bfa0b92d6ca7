import { randomUUID } from 'node:crypto';
import { Db } from '#platform';
import { CLIENT, useIdentityApp } from '../testing/identity-app';
import { Sessions } from './sessions.service';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('Sessions', () => {
  const identity = useIdentityApp({ poolSize: 4 });
  const sessions = () => identity().get(Sessions);

  async function aSession({ remember = false } = {}) {
    const userId = randomUUID();
    await identity().sql(
      'insert into users (id, email, name, created_at, updated_at) values ($1, $2, $3, now(), now())',
      [userId, `${userId}@example.com`, 'Ada'],
    );
    const session = await identity()
      .get(Db)
      .control((tx) => sessions().start(tx, { userId, remember, client: CLIENT }));
    return { userId, ...session };
  }

  const lastSeen = async (userId: string) => {
    const [row] = await identity().sql<{ seen: Date }>(
      'select last_seen_at as seen from sessions where user_id = $1',
      [userId],
    );
    return row?.seen;
  };

  it('are found by their token and by nothing else', async () => {
    const { userId, token } = await aSession();
    expect(await sessions().find(token)).toMatchObject({ userId });
    expect(await sessions().find(token.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')))).toBeNull();
    for (const wrong of ['', 'x', `${token}x`, "' or true --", 'mr_live_0123456789abcdef']) {
      expect(await sessions().find(wrong)).toBeNull();
    }
  });

  it('last 7 days, or 30 when remembered, to the instant', async () => {
    const { clock } = identity();
    const short = await aSession();
    const long = await aSession({ remember: true });
    expect(short.expiresAt.getTime() - clock.now().getTime()).toBe(7 * DAY_MS);
    expect(long.expiresAt.getTime() - clock.now().getTime()).toBe(30 * DAY_MS);
    clock.advance(7 * DAY_MS - 1);
    expect(await sessions().find(short.token)).not.toBeNull();
    clock.advance(1);
    expect(await sessions().find(short.token)).toBeNull();
    expect(await sessions().find(long.token)).not.toBeNull();
    clock.advance(23 * DAY_MS);
    expect(await sessions().find(long.token)).toBeNull();
  });

  it('note when they were seen, at most once a minute', async () => {
    const { clock } = identity();
    const { userId, token } = await aSession();
    const began = clock.now();
    clock.advance(MINUTE_MS - 1);
    await sessions().find(token);
    expect(await lastSeen(userId)).toEqual(began);
    clock.advance(1);
    await Promise.all(Array.from({ length: 8 }, () => sessions().find(token)));
    expect(await lastSeen(userId)).toEqual(clock.now());
  });

  it('are over at once when they end, and no other with them', async () => {
    const { userId, token } = await aSession();
    const other = await aSession();
    const found = await sessions().find(token);
    expect(await sessions().end(userId, found?.sessionId ?? '')).toBe(true);
    expect(await sessions().end(userId, found?.sessionId ?? '')).toBe(false);
    expect(await sessions().find(token)).toBeNull();
    expect(await sessions().find(other.token)).not.toBeNull();
  });

  it('end with the account', async () => {
    const { userId, token } = await aSession();
    await identity().sql('delete from users where id = $1', [userId]);
    expect(await sessions().find(token)).toBeNull();
  });
});
