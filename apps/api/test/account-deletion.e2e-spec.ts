import { barrier, eventually } from '#platform/testing';
import { type Account, apiKeyOf, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { memberOf } from './support/members';
import { publish } from './support/workflows';

jest.setTimeout(120_000);

const ROUNDS = 10;
const PASSWORD = 'a mill beside the river';

describe('Deleting an account, with all it has in workspaces', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let elsewhere: ApiClient;

  beforeAll(async () => {
    [{ server }, { server: elsewhere }] = await Promise.all([installation().start(), installation().start()]);
  });

  /** The token in the newest mail of a kind to an address; mails are shown by the process that sent them. */
  const mailed = (to: string, path: string) =>
    eventually(async () => {
      const boxes = await Promise.all([server, elsewhere].map((one) => one.get('/dev/mail.json')));
      const mails = boxes.flatMap((box) => expectStatus(box, 200).data);
      const mail = mails.find(
        (one: { to: string; text: string }) => one.to === to && one.text.includes(path),
      );
      if (!mail) throw new Error(`No mail with ${path} went to ${to}.`);
      return (
        String(mail.text)
          .split(path)[1]
          ?.match(/^[\w-]+/)?.[0] ?? ''
      );
    });

  const emailOf = async ({ api }: Account): Promise<string> =>
    expectStatus(await api.get('/v1/me'), 200).user.email;

  /** Asks for the deletion and gives the token of the mail. */
  async function asked(account: Account): Promise<string> {
    expectStatus(await account.api.post('/v1/me/deletion', { password: PASSWORD }), 202);
    return mailed(await emailOf(account), '/delete-account?token=');
  }

  it('says what goes, lets nobody down, and leaves nothing of the account but what others have', async () => {
    const ada = await signUp(server);
    const host = await signUp(server);
    await publish(ada, { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] });
    const guest = { ...ada, home: host.home, workspaceId: host.workspaceId };
    const { testDb } = installation();
    await testDb.sql(`insert into workspace_members (workspace_id, user_id, role) values ($1, $2, 'admin')`, [
      host.workspaceId,
      ada.userId,
    ]);
    const { key } = await apiKeyOf(guest, 'member');
    const colleague = await memberOf(ada, { server, testDb, role: 'admin' });
    expect(expectStatus(await ada.api.get('/v1/me/deletion'), 200)).toMatchObject({
      blocked: true,
      ownedWorkspaces: [{ id: ada.workspaceId, otherMembers: 1 }],
      counts: { workflows: 1, joinedWorkspaces: 1, apiKeys: 1, sessions: 1 },
    });
    const refused = await ada.api.post('/v1/me/deletion', { password: PASSWORD });
    expect(refused).toMatchObject({ status: 409, body: { code: 'identity.account_owns_workspaces' } });

    const { userId } = colleague;
    expectStatus(await ada.api.post(`${ada.home}/transfer`, { userId }), 204);
    const own = expectStatus(await ada.api.post('/v1/workspaces', { name: 'Of nobody else' }), 201);
    const token = await asked(ada);
    expectStatus(await server.post('/v1/auth/delete-account', { token }), 204);
    expect((await ada.api.get('/v1/me')).status).toBe(401);
    expect((await server.as(key).get('/v1/me')).status).toBe(401);
    const members = expectStatus(await host.api.get(`${host.home}/members`), 200).data;
    expect(members.map((one: { userId: string }) => one.userId)).toEqual([host.userId]);
    expect(expectStatus(await colleague.api.get(`${ada.home}/workflows`), 200).data).toHaveLength(1);
    const { data } = expectStatus(await host.api.get(`${host.home}/audit-log`), 200);
    expect(data[1] ?? data[0]).toMatchObject({ actor: { id: ada.userId }, reason: expect.any(String) });
    await eventually(async () => {
      const rows = await testDb.sql('select id from workspaces where id = $1 and purge_at > deleted_at', [
        own.id,
      ]);
      expect(rows).toEqual([]);
    });
  });

  // Seen to fail without lock-any-workspace: somebody was let into a workspace whose owner had just gone.
  it('happens before somebody joins, or not at all', async () => {
    const outcomes: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const ada = await signUp(server);
      const guest = await signUp(server);
      const email = await emailOf(guest);
      expectStatus(await ada.api.post(`${ada.home}/invitations`, { email, role: 'member' }), 201);
      const [invitation, token] = [await mailed(email, '/i/'), await asked(ada)];
      const go = barrier(2);
      const join = async () => {
        await go();
        return (await guest.api.at(elsewhere.url).post('/v1/invitations/accept', { token: invitation }))
          .status;
      };
      const leave = async () => {
        await go();
        return (await server.post('/v1/auth/delete-account', { token })).status;
      };
      const [joined, left] = await Promise.all([join(), leave()]);
      outcomes.push(`${joined} ${left}`);
    }
    expect(outcomes.filter((outcome) => outcome !== '200 409' && outcome !== '404 204')).toEqual([]);
    const orphans = await installation().testDb.sql(
      `select w.id from workspaces w where w.deleted_at is null
          and not exists (select from users u where u.id = w.owner_id)`,
    );
    expect(orphans).toEqual([]);
  });
});
