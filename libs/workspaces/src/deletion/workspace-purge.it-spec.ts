import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import { TenantDirectory } from '#platform';
import { type PurgeProgress, WorkspacePurge } from '../ports';
import { workspacesEntities } from '../tables';
import {
  actingAs,
  aStaffedWorkspace,
  type StaffedWorkspace,
  workspaceRooms,
} from '../testing/workspace-rooms';
import { WorkspacePurgeDuty } from './workspace-purge.loop';

const DAY_MS = 24 * 60 * 60_000;
const START = '2026-02-01T12:00:00Z';

/** What other libs keep: so many batches of each workspace, and some whose cell is away. */
class Batches extends WorkspacePurge {
  readonly left = new Map<string, number>();
  readonly away = new Set<string>();
  readonly worked: string[] = [];

  async purge(workspaceId: string): Promise<PurgeProgress> {
    this.worked.push(workspaceId);
    if (this.away.has(workspaceId)) throw new Error('The cell is away.');
    const left = this.left.get(workspaceId) ?? 0;
    this.left.set(workspaceId, Math.max(0, left - 1));
    return left === 0 ? { rows: 0, done: true } : { rows: 10, done: false };
  }
}

describe('WorkspacePurgeDuty', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });
  const never = new AbortController().signal;

  /** A process after so many days. */
  function processAfter(days: number, others: Batches, db = testDb().db) {
    const clock = new PinnedClock(START);
    clock.advance(days * DAY_MS);
    return new WorkspacePurgeDuty(db, clock, new TenantDirectory(db), others);
  }

  async function aDeletedWorkspace(): Promise<StaffedWorkspace> {
    const w = await aStaffedWorkspace(testDb());
    const { deletions, changes } = workspaceRooms(testDb().db, new PinnedClock(START));
    const acting = actingAs(w.id, w.owner, 'owner');
    await changes.change(acting, { name: 'Renamed, for the audit log' });
    await deletions.delete(acting, w.owner);
    return w;
  }

  /** Rows of a workspace in each table of this lib, and in the directory. */
  async function rowsOf({ id }: StaffedWorkspace) {
    const [rows] = await testDb().sql(
      `select (select count(*)::int from workspaces where id = $1) as workspaces,
              (select count(*)::int from workspace_members where workspace_id = $1) as members,
              (select count(*)::int from workspace_audit_log where workspace_id = $1) as entries,
              (select count(*)::int from workspace_directory where workspace_id = $1) as places`,
      [id],
    );
    return rows;
  }

  const WHOLE = { workspaces: 1, members: 4, entries: 2, places: 1 };
  const NOTHING = { workspaces: 0, members: 0, entries: 0, places: 0 };

  it('leaves a workspace alone as long as it can be restored', async () => {
    const w = await aDeletedWorkspace();
    expect(await processAfter(29, new Batches()).runOnce(never)).toEqual({ rows: 0, again: false });
    expect(await rowsOf(w)).toEqual(WHOLE);
    await processAfter(30, new Batches()).runOnce(never);
  });

  it('deletes batch by batch, and the workspace with its audit log when nothing else is left', async () => {
    const [w, live] = [await aDeletedWorkspace(), await aStaffedWorkspace(testDb())];
    const others = new Batches();
    others.left.set(w.id, 2);
    const duty = processAfter(30, others);
    expect(await duty.runOnce(never)).toEqual({ rows: 10, again: true });
    expect(await duty.runOnce(never)).toEqual({ rows: 10, again: true });
    expect(await rowsOf(w)).toEqual(WHOLE);
    expect(await duty.runOnce(never)).toEqual({ rows: 1, again: false });
    expect(await rowsOf(w)).toEqual(NOTHING);
    expect(await rowsOf(live)).toEqual({ ...WHOLE, entries: 0 });
    expect(await duty.runOnce(never)).toEqual({ rows: 0, again: false });
  });

  it('goes on with the others when one cannot be purged, says so, and comes back to it', async () => {
    const [stuck, w] = [await aDeletedWorkspace(), await aDeletedWorkspace()];
    const others = new Batches();
    others.away.add(stuck.id);
    const duty = processAfter(30, others);
    await expect(duty.runOnce(never)).rejects.toThrow('The cell is away.');
    expect([await rowsOf(stuck), await rowsOf(w)]).toEqual([WHOLE, NOTHING]);
    others.away.clear();
    await duty.runOnce(never);
    expect(await rowsOf(stuck)).toEqual(NOTHING);
  });

  it('lets no stuck workspace take the turns of others, however many are stuck', async () => {
    const others = new Batches();
    const stuck = [];
    for (let count = 0; count < 25; count += 1) stuck.push(await aDeletedWorkspace());
    for (const { id } of stuck) others.away.add(id);
    const clock = new PinnedClock(START);
    clock.advance(30 * DAY_MS);
    const { db } = testDb();
    const duty = new WorkspacePurgeDuty(db, clock, new TenantDirectory(db), others);
    const w = await aDeletedWorkspace();
    for (let round = 0; round < 2; round += 1) {
      await duty.runOnce(never).catch(() => undefined);
      clock.advance(60_000);
    }
    expect(others.worked).toContain(w.id);
    others.away.clear();
    for (let round = 0; round < 3; round += 1) await duty.runOnce(never);
  });

  it('may be done by several processes at once', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, aDeletedWorkspace));
    const others = new Batches();
    for (const { id } of made) others.left.set(id, 3);
    const go = barrier(3);
    const duties = await Promise.all(
      Array.from({ length: 3 }, async () => processAfter(30, others, await testDb().connectAgain())),
    );
    await Promise.all(
      duties.map(async (duty) => {
        await go();
        for (let round = 0; round < 6; round += 1) await duty.runOnce(never);
      }),
    );
    for (const w of made) expect(await rowsOf(w)).toEqual(NOTHING);
  });

  // Seen to fail without isGone: the slower process took the missing directory entry for a fault of its own.
  it('is done when another process was quicker', async () => {
    const w = await aDeletedWorkspace();
    const db = await testDb().connectAgain();
    class Overtaken extends Batches {
      override async purge(workspaceId: string): Promise<PurgeProgress> {
        await processAfter(30, new Batches()).runOnce(never);
        await db.cellOf(workspaceId);
        return super.purge(workspaceId);
      }
    }
    // The row is released by the claim, so that both may take it.
    expect(await processAfter(30, new Overtaken(), db).runOnce(never)).toEqual({ rows: 0, again: false });
    expect(await rowsOf(w)).toEqual(NOTHING);
  });
});
