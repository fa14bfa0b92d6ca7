import { randomUUID } from 'node:crypto';
import { type Access, type Db, Hints, parseConfig, type Principal, SystemRandom, UuidV7Ids } from '#platform';
import { CollectingLogger, PinnedClock, type TestDb } from '#platform/testing';
import { type AuditedAction, WorkflowAudit } from '../../ports';
import { BlockEvents } from '../block-events.service';
import { EgressPolicies, type EgressCaller } from '../egress-policies.service';
import type { BlockedRequest } from '../blocked-requests';

class RecordedAudit extends WorkflowAudit {
  readonly entries: AuditedAction[] = [];

  record(tx: { afterCommit: (hint: () => void) => void }, entry: AuditedAction): Promise<void> {
    tx.afterCommit(() => this.entries.push(entry));
    return Promise.resolve();
  }
}

/** The services of egress as one process has them. */
export function egressRooms(db: Db, environment: Readonly<Record<string, string>> = {}) {
  const clock = new PinnedClock('2026-01-05T12:00:00Z');
  const ids = new UuidV7Ids(clock, new SystemRandom());
  const [hints, audit, logger] = [new Hints(), new RecordedAudit(), new CollectingLogger()];
  const config = parseConfig({ NODE_ENV: 'test', ...environment });
  const policies = new EgressPolicies(db, clock, hints, audit, logger, config);
  const events = new BlockEvents(db, clock, ids, audit, logger);
  return { policies, events, clock, ids, audit, logger, hints };
}

const person: Principal = { kind: 'user', userId: randomUUID(), sessionId: randomUUID(), via: 'bearer' };

/** An admin of a new workspace. */
export async function anAdmin({ sql }: TestDb, cellId = 'cell_1'): Promise<EgressCaller> {
  const workspaceId = randomUUID();
  await sql('insert into tenants (workspace_id) values ($1)', [workspaceId], cellId);
  await sql('insert into workspace_directory (workspace_id, cell_id) values ($1, $2)', [workspaceId, cellId]);
  const access: Access = { workspaceId, role: 'admin', permissions: new Set() };
  return { access, principal: person, client: { ip: '203.0.113.7', userAgent: 'jest' } };
}

/** A request that was refused to a node of a workspace. */
export function aBlock(
  { access: { workspaceId } }: EgressCaller,
  more: Partial<BlockedRequest> & { readonly runId?: string; readonly nodeId?: string } = {},
): BlockedRequest {
  const { runId = randomUUID(), nodeId = 'call', ...rest } = more;
  return {
    context: { workspaceId, runId, nodeId, iteration: '', mask: (text) => text },
    url: new URL('https://api.example.com/v1?key=secret'),
    rule: 'policy.deny',
    message: 'Denied.',
    dryRun: false,
    ...rest,
  };
}
