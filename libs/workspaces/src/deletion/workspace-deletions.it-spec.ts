import { randomUUID } from 'node:crypto';
import { AppError, type Principal } from '#platform';
import { barrier, eventually, PinnedClock, Signal, useTestDb } from '#platform/testing';
import { JOINED_MAX, OWNED_MAX } from '../members/memberships.service';
import { workspacesEntities } from '../tables';
import {
  actingAs,
  aStaffedWorkspace,
  mailOf,
  originOfUser,
  type StaffedWorkspace,
  userNamed,
  workspaceRooms,
} from '../testing/workspace-rooms';
import { beginPurges } from './deletion.sql';

const DAY_MS = 24 * 60 * 60_000;
const START = '2026-02-01T12:00:00Z';

describe('WorkspaceDeletions', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  function rooms() {
    const clock = new PinnedClock(START);
    return { ...workspaceRooms(testDb().db, clock), clock };
  }

  type Rooms = Pick<ReturnType<typeof rooms>, 'deletions'>;
  const deleteIn = ({ deletions }: Rooms, w: StaffedWorkspace) =>
    deletions.delete(actingAs(w.id, w.owner, 'owner'), w.owner);
  const restoreIn = ({ deletions }: Rooms, w: Pick<StaffedWorkspace, 'id'>, userId: string) =>
    deletions.restore({ workspaceId: w.id, userId, origin: originOfUser(userId) });
  const restorable = async ({ deletions }: Rooms, userId: string) =>
    (await deletions.listOf(userId, { afterId: null, limit: 10 })).data;

  it('hides a workspace from everyone and every key, tells its owner, and says until when it can come back', async () => {
    const { memberships, workspaces, access, mail, auditLog, ...all } = rooms();
    const w = await aStaffedWorkspace(testDb());
    const key: Principal = { kind: 'api_key', apiKeyId: 'k', workspaceId: w.id, role: 'admin', scopes: null };
    const deleted = await deleteIn(all, w);
    expect(deleted).toMatchObject({ id: w.id, deletedAt: '2026-02-01T12:00:00.000Z', purgeAt: '2026-03-03T12:00:00.000Z' }); // prettier-ignore
    for (const principal of [userNamed(w.owner), userNamed(w.viewer), key]) {
      expect(await memberships.accessOf(principal, w.id)).toBeNull();
    }
    expect((await workspaces.listOf(w.owner, { afterId: null, limit: 5 })).data).toEqual([]);
    expect((await workspaces.plansOf([w.id])).size).toBe(0);
    expect(access.announced).toEqual([`workspace:${w.id}`]);
    expect(mail.sent).toMatchObject([
      { to: mailOf(w.owner), text: expect.stringContaining('Tue, 03 Mar 2026 12:00:00 GMT') },
    ]);
    expect((await auditLog.list(w.id, { beforeId: null, limit: 5 })).data).toMatchObject([
      { action: 'workspace.deleted', actor: { id: w.owner }, after: { purgeAt: deleted.purgeAt } },
    ]);
    expect(await restorable(all, w.owner)).toEqual([deleted]);
    expect(await restorable(all, w.admin)).toEqual([]);
    expect(await all.deletions.all()).toContain(w.id);
  });

  it('is for owners, as they are in the transaction', async () => {
    const w = await aStaffedWorkspace(testDb());
    const { deletions } = rooms();
    const deleting = deletions.delete(actingAs(w.id, w.admin, 'owner'), w.admin);
    await expect(deleting).rejects.toMatchObject({ code: 'request.forbidden' });
    await deleteIn(rooms(), w);
    await expect(deleteIn(rooms(), w)).rejects.toMatchObject({ code: 'request.not_found' });
  });

  it('brings a workspace back with its members until the thirtieth day is over', async () => {
    const all = rooms();
    const w = await aStaffedWorkspace(testDb());
    await deleteIn(all, w);
    all.clock.advance(30 * DAY_MS - 1);
    expect(await restoreIn(all, w, w.owner)).toMatchObject({ id: w.id, role: 'owner' });
    expect((await all.memberships.accessOf(userNamed(w.viewer), w.id))?.role).toBe('viewer');
    const { data } = await all.auditLog.list(w.id, { beforeId: null, limit: 5 });
    expect(data.map(({ action }) => action)).toEqual(['workspace.restored', 'workspace.deleted']);
    await deleteIn(all, w);
    all.clock.advance(30 * DAY_MS);
    await expect(restoreIn(all, w, w.owner)).rejects.toMatchObject({ code: 'request.not_found' });
    expect(await restorable(all, w.owner)).toEqual([]);
  });

  it('says one and the same of what is foreign, missing, live, and past restoring', async () => {
    const all = rooms();
    const [live, foreign, past] = [
      await aStaffedWorkspace(testDb()), await aStaffedWorkspace(testDb()), await aStaffedWorkspace(testDb()),
    ]; // prettier-ignore
    await deleteIn(all, past);
    all.clock.advance(30 * DAY_MS);
    await deleteIn(all, foreign);
    const refusals = await Promise.all([
      restoreIn(all, live, live.owner).catch(String),
      restoreIn(all, foreign, live.owner).catch(String),
      restoreIn(all, foreign, foreign.admin).catch(String),
      restoreIn(all, { id: randomUUID() }, live.owner).catch(String),
      restoreIn(all, past, past.owner).catch(String),
    ]);
    expect(new Set(refusals)).toEqual(new Set(['AppError: request.not_found: No such resource.']));
  });

  it('lists page by page', async () => {
    const all = rooms();
    const owner = randomUUID();
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const w = await aStaffedWorkspace(testDb(), { owner });
      await deleteIn(all, w);
      ids.push(w.id);
    }
    const first = await all.deletions.listOf(owner, { afterId: null, limit: 2 });
    const second = await all.deletions.listOf(owner, { afterId: first.data[1]?.id ?? null, limit: 2 });
    expect([first.hasMore, second.hasMore]).toEqual([true, false]);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids.toSorted());
  });

  describe('the limits', () => {
    it('count a deleted workspace for its members, who have no say in whether it comes back', async () => {
      const { memberships, ...all } = rooms();
      const person = randomUUID();
      const first = await aStaffedWorkspace(testDb(), { viewer: person });
      for (let joined = 1; joined < JOINED_MAX; joined += 1) {
        await aStaffedWorkspace(testDb(), { viewer: person });
      }
      await deleteIn(all, first);
      const owning = testDb().db.control((tx) =>
        memberships.addOwner(tx, randomUUID(), { userId: person, now: null }),
      );
      await expect(owning).rejects.toMatchObject({ code: 'workspace.joined_limit_reached' });
      // So there is room for them when it does.
      await restoreIn(all, first, first.owner);
      expect((await memberships.accessOf(userNamed(person), first.id))?.role).toBe('viewer');
    });

    // Seen to fail without lock-memberships-of-user in the restoration: in one of the first rounds both came back.
    it('let one of two workspaces come back when there is room for one', async () => {
      const all = rooms();
      const owner = randomUUID();
      for (let owned = 1; owned < OWNED_MAX; owned += 1) await aStaffedWorkspace(testDb(), { owner });
      const one = await aStaffedWorkspace(testDb(), { owner });
      await deleteIn(all, one);
      const other = await aStaffedWorkspace(testDb(), { owner });
      await deleteIn(all, other);
      const processes = [
        workspaceRooms(await testDb().connectAgain(), all.clock),
        workspaceRooms(await testDb().connectAgain(), all.clock),
      ] as const;
      for (let round = 0; round < 8; round += 1) {
        const go = barrier(2);
        const restore = async (process: Rooms, w: StaffedWorkspace) => {
          await go();
          return restoreIn(process, w, owner).then(
            () => 'restored',
            (error: unknown) => (error instanceof AppError ? error.code : String(error)),
          );
        };
        const outcomes = await Promise.all([restore(processes[0], one), restore(processes[1], other)]);
        expect(outcomes.toSorted()).toEqual(['restored', 'workspace.owned_limit_reached']);
        await deleteIn(all, outcomes[0] === 'restored' ? one : other);
      }
    });
  });

  // Seen to fail without "set purge_at = deleted_at" in begin-workspace-purges: the workspace came back while it was
  // being purged, because the restoring transaction had begun before the purge was due.
  it('brings nothing back once the purge has begun', async () => {
    const all = rooms();
    const w = await aStaffedWorkspace(testDb());
    await deleteIn(all, w);
    const later = new PinnedClock(START);
    later.advance(30 * DAY_MS);
    const begun = await testDb().db.executeControl(beginPurges, later.now());
    expect(begun).toContainEqual({ id: w.id });
    // The clock of this one still stands before that.
    await expect(restoreIn(all, w, w.owner)).rejects.toMatchObject({ code: 'request.not_found' });
    expect(await restorable(all, w.owner)).toEqual([]);
  });

  // Seen to fail without "for update skip locked": the purge waited for the restoration, which was then still under way.
  it('begins no purge of what is being restored this moment', async () => {
    const all = rooms();
    const w = await aStaffedWorkspace(testDb());
    await deleteIn(all, w);
    const [restoring, decided] = [new Signal(), new Signal()];
    const process = workspaceRooms(await testDb().connectAgain(), all.clock);
    process.memberships.requireWithinLimits = () => {
      restoring.give();
      return decided.arrived;
    };
    const restored = restoreIn(process, w, w.owner);
    await restoring.arrived;
    const later = new PinnedClock(START);
    later.advance(31 * DAY_MS);
    const purged = testDb().db.executeControl(beginPurges, later.now());
    let over = false;
    const first = await Promise.race([purged, eventually(async () => over || (await waits()))]);
    over = true;
    decided.give();
    await restored;
    expect(first).not.toBe('waited');
    expect(await purged).not.toContainEqual({ id: w.id });
    expect((await all.memberships.accessOf(userNamed(w.owner), w.id))?.role).toBe('owner');
  });

  async function waits(): Promise<string> {
    const [found] = await testDb().sql<{ waiting: boolean }>(
      `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waiting`,
    );
    if (!found?.waiting) throw new Error('Nobody waits.');
    return 'waited';
  }
});
