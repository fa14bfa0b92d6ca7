import { PinnedClock, useTestDb } from '#platform/testing';
import { workspacesEntities } from '../tables';
import { actingAs, aStaffedWorkspace, workspaceRooms } from '../testing/workspace-rooms';

describe('WorkspaceChanges', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  async function aWorkspace() {
    const clock = new PinnedClock('2026-02-01T12:00:00Z');
    const rooms = workspaceRooms(testDb().db, clock);
    const { id } = await rooms.workspaces.create({ ownerId: OWNER, name: 'Before' }, null);
    const logged = async () =>
      (await rooms.auditLog.list(id, { beforeId: null, limit: 10 })).data
        .filter(({ action }) => action !== 'workspace.created')
        .map(({ action, before, after }) => ({ action, before, after }));
    clock.advance(60_000);
    return { ...rooms, id, acting: actingAs(id, OWNER, 'owner'), logged };
  }

  const OWNER = '0198c0de-0000-7000-8000-00000000000a';
  afterEach(() => testDb().sql('delete from workspaces'));

  it('gives a name, a slug and settings, and records both states of what changed', async () => {
    const { changes, acting, workspaces, logged } = await aWorkspace();
    const changed = await changes.change(acting, {
      name: 'After',
      slug: 'after-all',
      settings: { timeZone: 'Europe/Berlin' },
    });
    expect(changed).toMatchObject({
      name: 'After',
      slug: 'after-all',
      settings: { timeZone: 'Europe/Berlin', invitationExpiryDays: 7 },
      updatedAt: '2026-02-01T12:01:00.000Z',
    });
    expect(await workspaces.get(acting.access)).toEqual(changed);
    expect(await logged()).toEqual([
      {
        action: 'workspace.updated',
        before: { slug: 'before', timeZone: 'UTC' },
        after: { slug: 'after-all', timeZone: 'Europe/Berlin' },
      },
      { action: 'workspace.renamed', before: { name: 'Before' }, after: { name: 'After' } },
    ]);
  });

  it('leaves alone what is not named', async () => {
    const { changes, acting } = await aWorkspace();
    await changes.change(acting, { settings: { invitationExpiryDays: 30 } });
    const changed = await changes.change(acting, { settings: { timeZone: 'Asia/Tokyo' } });
    expect(changed).toMatchObject({
      name: 'Before',
      slug: 'before',
      settings: { timeZone: 'Asia/Tokyo', invitationExpiryDays: 30 },
    });
  });

  it.each([{}, { name: 'Before' }, { slug: 'before', settings: { timeZone: 'UTC' } }])(
    'changes and records nothing when all is as it is wanted: %j',
    async (change) => {
      const { changes, acting, logged } = await aWorkspace();
      expect(await changes.change(acting, change)).toMatchObject({ updatedAt: '2026-02-01T12:00:00.000Z' });
      expect(await logged()).toEqual([]);
    },
  );

  it('refuses a slug that another workspace has, a deleted one too: it may come back', async () => {
    const first = await aWorkspace();
    const second = await aWorkspace();
    await first.changes.change(first.acting, { slug: 'taken' });
    await first.deletions.delete(first.acting, OWNER);
    const taking = second.changes.change(second.acting, { slug: 'taken', name: 'Both or neither' });
    await expect(taking).rejects.toMatchObject({
      code: 'workspace.slug_taken',
      context: { problems: [{ pointer: '/slug' }] },
    });
    expect((await second.workspaces.get(second.acting.access)).name).toBe('Before');
  });

  it('is refused to members who may not, and in a workspace that was deleted meanwhile', async () => {
    const w = await aStaffedWorkspace(testDb());
    const { changes, deletions } = workspaceRooms(testDb().db);
    // The guard had found an admin, who was demoted since.
    const stale = changes.change(actingAs(w.id, w.member, 'admin'), { name: 'Mine' });
    await expect(stale).rejects.toMatchObject({ code: 'request.forbidden' });
    await deletions.delete(actingAs(w.id, w.owner, 'owner'), w.owner);
    const late = changes.change(actingAs(w.id, w.owner, 'owner'), { name: 'Mine' });
    await expect(late).rejects.toMatchObject({ code: 'request.not_found' });
  });
});
