import type { Client, Principal, Tx } from '#platform';

/** How many starts a workspace asks for at once. */
export interface AdmissionRequest {
  readonly workspaceId: string;
  readonly runs: number;
}

/** What quota says to it. */
export interface Admission {
  /** How many of the runs may start; the first ones, when it is fewer than were asked for. */
  readonly granted: number;
  /** Why the others may not; a complete sentence for the caller. Null when all may. */
  readonly refusal: AdmissionRefusal | null;
}

/** A refused start, in the words and figures of whoever keeps the quota. */
export interface AdmissionRefusal {
  readonly code: string;
  readonly detail: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** Port: asks whether runs may start, and counts those that may, in the transaction that creates them. */
export abstract class RunAdmission {
  /** Called before the transaction, which must be short: whatever has to be looked up elsewhere is looked up here. */
  abstract prepare(workspaceIds: readonly string[]): Promise<void>;

  /** Counts in the same transaction: if it is rolled back, nothing was counted. An answer for each request. */
  abstract admit(tx: Tx, requests: readonly AdmissionRequest[]): Promise<ReadonlyMap<string, Admission>>;
}

/** What a plan allows the runs of a workspace. Null means no limit. */
export interface WorkspaceRunLimits {
  readonly planName: string;
  /** Runs of the workspace that may be executing at a time; those that wait do not count. */
  readonly concurrentRuns: number | null;
  /** The same for each of its workflows. */
  readonly concurrentRunsPerWorkflow: number | null;
  /** Starts within any five minutes; beyond them something is taken to have run away. */
  readonly startsPerFiveMinutes: number | null;
  /** Days for which finished runs are kept. */
  readonly retentionDays: number;
  /** Bytes of history; beyond them the oldest finished runs go before their time. */
  readonly historyBytes: number | null;
}

/** Port: what the plan allows the runs of a workspace. */
export abstract class RunLimits {
  /** An answer for each workspace; one that is gone is missing. */
  abstract of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspaceRunLimits>>;
  /** Every number of days that some plan keeps runs for. */
  abstract retentionClasses(): readonly number[];
}

/** What a plan allows an author of workflows. Null means no limit. */
export interface AuthoringLimits {
  readonly planName: string;
  readonly workflows: number | null;
  readonly nodesPerWorkflow: number | null;
}

/** Port: what the workspace's plan allows. */
export abstract class WorkflowLimits {
  abstract of(workspaceId: string): Promise<AuthoringLimits>;
}

/** Who did something, for the audit log. */
export interface AuditedAction {
  readonly workspaceId: string;
  readonly actor: Principal;
  readonly client: Client;
  /** Dotted, in the past tense: `workflow.published`. */
  readonly action: `${string}.${string}`;
  readonly targetId: string;
  /** What it was done to; a workflow unless it says otherwise. */
  readonly targetKind?: 'secret';
  readonly after?: Readonly<Record<string, unknown>>;
}

/** Port: writes the audit log in the transaction of what it tells of. */
export abstract class WorkflowAudit {
  abstract record(tx: Tx, entry: AuditedAction): Promise<void>;
}

/** Port: workspaces that were deleted. They may come back, so what they have is kept; but nothing of theirs goes on. */
export abstract class DeletedWorkspaces {
  /** Whether a workspace is there for its members: neither deleted nor purged. */
  abstract isLive(workspaceId: string): Promise<boolean>;
  /** Every workspace that is deleted and not purged yet. */
  abstract all(): Promise<readonly string[]>;
}
