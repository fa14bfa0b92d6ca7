import { barrier } from '#platform/testing';
import { type Account, apiKeyOf, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { memberOf } from './support/members';

jest.setTimeout(120_000);

const ROUNDS = 12;

/** What somebody handed out dies with their right to hand it out, however close the two come. */
describe('What a member has handed out', () => {
  const installation = useInstallation();
  let server: ApiClient;
  /** Another process, where the right is taken away. */
  let elsewhere: ApiClient;
  let ada: Account;

  beforeAll(async () => {
    [{ server }, { server: elsewhere }] = await Promise.all([installation().start(), installation().start()]);
    ada = await signUp(server);
  });

  const colleague = (role: string) => memberOf(ada, { server, testDb: installation().testDb, role });
  const remove = ({ userId }: Account) =>
    ada.api.at(elsewhere.url).send('DELETE', `${ada.home}/members/${userId}?reason=test`);
  const isKnown = async (key: string) => (await server.as(key).get('/v1/me')).status === 200;

  it('is revoked with the membership: keys, links and open invitations', async () => {
    const mallory = await colleague('admin');
    const { key } = await apiKeyOf(mallory, 'viewer');
    const link = expectStatus(await mallory.api.post(`${ada.home}/invite-links`, { role: 'admin' }), 201);
    const invited = { email: 'accomplice@example.com', role: 'admin' };
    const { id } = expectStatus(await mallory.api.post(`${ada.home}/invitations`, invited), 201);
    expect(await isKnown(key)).toBe(true);
    expectStatus(await remove(mallory), 204);
    expect(await isKnown(key)).toBe(false);
    const token = new URL(link.url).pathname.slice('/i/'.length);
    expect(expectStatus(await server.get(`/i/${token}`), 200)).toMatchObject({ state: 'revoked' });
    expect((await mallory.api.post('/v1/invitations/accept', { token })).status).toBe(410);
    expect(expectStatus(await ada.api.get(`${ada.home}/invitations/${id}`), 200)).toMatchObject({
      state: 'revoked',
    });
    const { data } = expectStatus(await ada.api.get(`${ada.home}/audit-log?limit=10`), 200);
    const actions = data.map(({ action }: { action: string }) => action);
    expect(actions).toEqual(
      expect.arrayContaining([
        'member.revoked',
        'api_key.revoked',
        'invite_link.revoked',
        'invitation.revoked',
      ]),
    );
  });

  it('is revoked with a demotion as far as the new role does not reach, and no further', async () => {
    const mallory = await colleague('admin');
    const [admins, viewers] = [await apiKeyOf(mallory, 'admin'), await apiKeyOf(mallory, 'viewer')];
    const demotion = {
      body: JSON.stringify({ role: 'member' }),
      headers: { 'content-type': 'application/json' },
    };
    expectStatus(await ada.api.send('PATCH', `${ada.home}/members/${mallory.userId}`, demotion), 200);
    expect([await isKnown(admins.key), await isKnown(viewers.key)]).toEqual([false, true]);
  });

  // Seen to fail without `for share` in hold-role-in-workspace: seven to eleven keys outlived their makers.
  it('is not handed out any more by a request that meets the removal', async () => {
    const survivors: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const mallory = await colleague('admin');
      const go = barrier(5);
      const makeKey = async () => {
        await go();
        const { status, body } = await mallory.api.post(`${ada.home}/api-keys`, {
          name: 'Late',
          role: 'admin',
        });
        return status === 201 ? String(body.key) : null;
      };
      const removal = async () => {
        await go();
        return expectStatus(await remove(mallory), 204);
      };
      const [, ...keys] = await Promise.all([removal(), makeKey(), makeKey(), makeKey(), makeKey()]);
      for (const key of keys) if (key !== null && (await isKnown(key))) survivors.push(key);
    }
    expect(survivors).toEqual([]);
  });

  it('leaves the workflows of somebody who is gone with the workspace', async () => {
    const mallory = await colleague('member');
    const created = await mallory.api.post(`${ada.home}/workflows`, {
      name: 'Stays',
      definition: { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] },
    });
    const { id } = expectStatus(created, 201);
    expectStatus(await remove(mallory), 204);
    expect(expectStatus(await ada.api.get(`${ada.home}/workflows/${id}`), 200)).toMatchObject({
      name: 'Stays',
    });
    expect((await mallory.api.get(`${ada.home}/workflows/${id}`)).status).toBe(404);
  });
});
