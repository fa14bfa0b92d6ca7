import { signUp } from './support/account';
import { expectStatus } from './support/api-client';
import { EventReader } from './support/event-stream';
import { useInstallation } from './support/installation';
import { chain, publish, runInStatus, startRun } from './support/workflows';

jest.setTimeout(60_000);

/** A stream looks by itself after five seconds whether its reader may still read: what comes sooner was told. */
const TOLD_WITHIN_MS = 3_500;

const waiting = {
  nodes: [
    { id: 'begin', type: 'trigger.manual' },
    { id: 'wait', type: 'delay', params: { seconds: 3600 } },
  ],
  edges: chain('begin', 'wait'),
};

describe('a session that is ended', () => {
  const installation = useInstallation();

  /** Control: without the announcement in `Sessions.endAll` the stream ends only when it looks by itself, after 5 s. */
  it('by a request to one process ends the streams it has open at another, and no others', async () => {
    const [here, there] = [await installation().start(), await installation().start()];
    const account = await signUp(here.server);
    const runId = await startRun(account, await publish(account, waiting));
    await runInStatus(account, runId, 'waiting');
    const path = `${account.home}/runs/${runId}/stream`;
    const { user } = expectStatus(await account.api.get('/v1/me'), 200);
    const second = expectStatus(
      await here.server.post('/v1/auth/sign-in', { email: user.email, password: 'a mill beside the river' }),
      200,
    );
    const other = here.server.as(second.token);
    const [mine, theirs] = [
      await EventReader.open(account.api.at(there.server.url), path),
      await EventReader.open(other.at(there.server.url), path),
    ];
    await Promise.all([mine.received('run.waiting'), theirs.received('run.waiting')]);

    const begun = performance.now();
    expectStatus(await account.api.post('/v1/me/sessions/revoke-others'), 200);
    await theirs.ended;
    expect(performance.now() - begun).toBeLessThan(TOLD_WITHIN_MS);
    expect((await other.at(there.server.url).get('/v1/me')).status).toBe(401);

    // The stream of the session that goes on has not ended: it still hears of what happens.
    expectStatus(await account.api.post(`${account.home}/runs/${runId}/cancel`), 200);
    await mine.received('run.canceled');
    mine.close();
  });
});
