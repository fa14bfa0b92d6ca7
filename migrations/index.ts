import type { Migrations } from '#platform';
import { CellsAndDirectory1763640000000 } from './control/1763640000000-CellsAndDirectory';
import { IdempotencyKeys1763640001000 } from './control/1763640001000-IdempotencyKeys';
import { MailOutbox1763640002000 } from './control/1763640002000-MailOutbox';
import { Users1763640003100 } from './control/1763640003100-Users';
import { Sessions1763640003200 } from './control/1763640003200-Sessions';
import { EmailVerifications1763640003300 } from './control/1763640003300-EmailVerifications';
import { ApiKeys1763640003400 } from './control/1763640003400-ApiKeys';
import { Tenants1763640010000 } from './cell/1763640010000-Tenants';
import { Workflows1763640020000 } from './cell/1763640020000-Workflows';
import { RunHistory1763640030000 } from './cell/1763640030000-RunHistory';
import { RunQueue1763640040000 } from './cell/1763640040000-RunQueue';
import { Workspaces1763640050000 } from './control/1763640050000-Workspaces';
import { WorkspaceAuditLog1763640051000 } from './control/1763640051000-WorkspaceAuditLog';
import { RateLimits1795260000000 } from './control/1795260000000-RateLimits';
import { UserTokens1795260001000 } from './control/1795260001000-UserTokens';
import { SignInMethods1795260002000 } from './control/1795260002000-SignInMethods';
import { AccountLifecycle1795260003000 } from './control/1795260003000-AccountLifecycle';
import { ApiKeyScopes1795260004000 } from './control/1795260004000-ApiKeyScopes';
import { WorkspaceLifecycle1795260010000 } from './control/1795260010000-WorkspaceLifecycle';
import { WorkspaceInvitations1795260011000 } from './control/1795260011000-WorkspaceInvitations';
import { AppendOnlyAuditLog1795260012000 } from './control/1795260012000-AppendOnlyAuditLog';
import { MailDeduplicationKeys1795265000000 } from './control/1795265000000-MailDeduplicationKeys';
import { WorkspaceRunUsage1763640060000 } from './cell/1763640060000-WorkspaceRunUsage';
import { LiveRunsOfWorkspaces1795264001000 } from './cell/1795264001000-LiveRunsOfWorkspaces';
import { RetentionClasses1795264000000 } from './cell/1795264000000-RetentionClasses';
import { EngineSemantics1795262000000 } from './cell/1795262000000-EngineSemantics';
import { Approvals1795262001000 } from './cell/1795262001000-Approvals';
import { RunLimits1795263000000 } from './cell/1795263000000-RunLimits';
import { RunControl1795267000000 } from './cell/1795267000000-RunControl';
import { Schedules1795268000000 } from './cell/1795268000000-Schedules';
import { HookInbox1795269000000 } from './cell/1795269000000-HookInbox';
import { EgressPolicies1795270000000 } from './cell/1795270000000-EgressPolicies';
import { WorkspaceSecrets1795271000000 } from './cell/1795271000000-WorkspaceSecrets';

/** Every migration, in order. A new one is added by `npm run migrate:create`; none is ever edited or removed. */
export const migrations: Migrations = {
  control: [
    CellsAndDirectory1763640000000,
    IdempotencyKeys1763640001000,
    MailOutbox1763640002000,
    Users1763640003100,
    Sessions1763640003200,
    EmailVerifications1763640003300,
    ApiKeys1763640003400,
    Workspaces1763640050000,
    WorkspaceAuditLog1763640051000,
    RateLimits1795260000000,
    UserTokens1795260001000,
    SignInMethods1795260002000,
    AccountLifecycle1795260003000,
    ApiKeyScopes1795260004000,
    WorkspaceLifecycle1795260010000,
    WorkspaceInvitations1795260011000,
    AppendOnlyAuditLog1795260012000,
    MailDeduplicationKeys1795265000000,
  ],
  cell: [
    Tenants1763640010000,
    Workflows1763640020000,
    RunHistory1763640030000,
    RunQueue1763640040000,
    WorkspaceRunUsage1763640060000,
    EngineSemantics1795262000000,
    Approvals1795262001000,
    RunLimits1795263000000,
    RetentionClasses1795264000000,
    LiveRunsOfWorkspaces1795264001000,
    RunControl1795267000000,
    Schedules1795268000000,
    HookInbox1795269000000,
    EgressPolicies1795270000000,
    WorkspaceSecrets1795271000000,
  ],
};
