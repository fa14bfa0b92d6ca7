import { randomUUID } from 'node:crypto';
import {
  type Access,
  type Client,
  type Db,
  Hints,
  Idempotency,
  Keys,
  parseConfig,
  type Principal,
  SystemClock,
  SystemRandom,
  type Tx,
  UuidV7Ids,
} from '#platform';
import { PinnedClock, type TestDb } from '#platform/testing';
import { builtinKinds } from '../../nodes/builtin-kinds';
import { NodeKindRegistry } from '../../nodes/registry';
import {
  type AuditedAction,
  type AuthoringLimits,
  DeletedWorkspaces,
  WorkflowAudit,
  WorkflowLimits,
} from '../../ports';
import { ScheduleBook } from '../../triggers/schedules/schedule-book';
import { ScheduleSync } from '../../triggers/schedules/schedule-sync.service';
import { HookUrls } from '../../triggers/hooks/hook-token';
import { PublishedWorkflows } from '../published-workflows.service';
import { Publishing } from '../publishing.service';
import { WorkflowHooksRepository } from '../workflow-hooks.repository';
import { WorkflowVersionsRepository } from '../workflow-versions.repository';
import { type Caller, Workflows } from '../workflows.service';
import { WorkflowsRepository } from '../workflows.repository';

/** Limits that a test sets. */
export class FixedLimits extends WorkflowLimits {
  limits: AuthoringLimits = { planName: 'Test', workflows: null, nodesPerWorkflow: null };

  of(): Promise<AuthoringLimits> {
    return Promise.resolve(this.limits);
  }
}

/** Every workspace is live but those that a test deletes. */
export class FakeDeletions extends DeletedWorkspaces {
  readonly deleted = new Set<string>();

  isLive(workspaceId: string): Promise<boolean> {
    return Promise.resolve(!this.deleted.has(workspaceId));
  }

  all(): Promise<readonly string[]> {
    return Promise.resolve([...this.deleted]);
  }
}

/** Remembers what was recorded once it is committed. */
export class RecordedAudit extends WorkflowAudit {
  readonly entries: AuditedAction[] = [];
  fault: Error | null = null;
  /** What else is to happen in the transaction. */
  alongside: (tx: Tx, entry: AuditedAction) => Promise<void> = () => Promise.resolve();

  async record(tx: Tx, entry: AuditedAction): Promise<void> {
    tx.afterCommit(() => this.entries.push(entry));
    if (this.fault) throw this.fault;
    await this.alongside(tx, entry);
  }
}

export const testKinds = new NodeKindRegistry(builtinKinds());
export const testHookUrls = new HookUrls(
  new Keys(Buffer.alloc(32, 7)),
  parseConfig({ PUBLIC_URL: 'https://flows.example' }),
);

/** The services of the catalogue as one process has them. */
export function catalogRooms(db: Db, kinds: NodeKindRegistry = testKinds) {
  const clock = new PinnedClock('2026-01-05T12:00:00Z');
  const ids = new UuidV7Ids(new SystemClock(), new SystemRandom());
  const [hints, limits, audit] = [new Hints(), new FixedLimits(), new RecordedAudit()];
  const rows = new WorkflowsRepository();
  const versions = new WorkflowVersionsRepository();
  const hooks = new WorkflowHooksRepository();
  const idempotency = new Idempotency();
  const book = new ScheduleBook();
  const sync = new ScheduleSync(clock, ids, book);
  const workflows = new Workflows(
    db, ids, hints, idempotency, kinds, limits, audit, testHookUrls, rows, versions, hooks, sync,
  ); // prettier-ignore
  const publishing = new Publishing(db, ids, hints, kinds, limits, audit, rows, versions, sync);
  const deletions = new FakeDeletions();
  const published = new PublishedWorkflows(db, kinds, hooks, deletions, clock, hints);
  return { workflows, publishing, published, limits, audit, deletions, clock, ids, hints, book };
}

const person: Principal = { kind: 'user', userId: randomUUID(), sessionId: randomUUID(), via: 'bearer' };

/** From where that person works. */
const testClient: Client = { ip: '203.0.113.7', userAgent: 'jest' };

/** A member of a new workspace in a cell. */
export async function aMember({ sql }: TestDb, cellId = 'cell_1'): Promise<Caller> {
  const workspaceId = randomUUID();
  await sql('insert into tenants (workspace_id) values ($1)', [workspaceId], cellId);
  await sql('insert into workspace_directory (workspace_id, cell_id) values ($1, $2)', [workspaceId, cellId]);
  return { access: accessTo(workspaceId), principal: person, client: testClient };
}

/** What a member may do in a workspace. */
export function accessTo(workspaceId: string, permissions: readonly string[] = ['hook:read']): Access {
  return { workspaceId, role: 'member', permissions: new Set(permissions) };
}

/** A definition that can be published, told apart from others by a text in it. */
export function aDefinition(text: string) {
  return {
    nodes: [
      { id: 'start', type: 'trigger.manual' },
      { id: 'note', type: 'set', params: { values: { text } } },
    ],
    edges: [{ from: 'start', to: 'note' }],
  };
}

/** A definition with a webhook at each of these nodes. */
export function webhooks(...nodeIds: readonly string[]) {
  return { nodes: nodeIds.map((id) => ({ id, type: 'trigger.webhook' })), edges: [] };
}
