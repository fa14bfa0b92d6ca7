import { Injectable } from '@nestjs/common';
import {
  type Access,
  AppError,
  type Client,
  Db,
  type ExpectedRevision,
  Ids,
  KeyRing,
  type Principal,
  principalKey,
  staleRevision,
  type Tx,
} from '#platform';
import { secretErrors } from '../errors';
import { WorkflowAudit } from '../ports';
import { type SecretView, toSecretView } from './secrets.dto';
import {
  countSecrets,
  deleteSecret,
  insertSecret,
  listSecrets,
  lockSecret,
  lockSecretsOf,
  replaceSecret,
  sealContext,
  type SecretRow,
  type SecretUser,
  secretUsers,
} from './secret.sql';

/** More than anybody keeps track of. */
export const MAX_SECRETS_OF_WORKSPACE = 200;

/** Who asks, in which workspace, and from where. */
interface Caller {
  readonly access: Access;
  readonly principal: Principal;
  readonly client: Client;
}

/** A value that somebody wants a secret to have. */
export interface WantedSecret {
  readonly name: string;
  readonly value: string;
  /** Undefined leaves the one there is. */
  readonly description: string | undefined;
  readonly expected: ExpectedRevision;
}

/**
 * The secrets of workspaces as people manage them: written, listed and deleted, never read. They belong to the workspace,
 * so they stay when whoever made them leaves. Values are read by `SecretValues` alone.
 */
@Injectable()
export class Secrets {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly ring: KeyRing,
    private readonly audit: WorkflowAudit,
  ) {}

  /** All secrets of a workspace by name, with the workflows that use them. */
  list(workspaceId: string): Promise<readonly SecretView[]> {
    return this.db.tenant(workspaceId, async (tx) => {
      const users = await tx.query(secretUsers, workspaceId);
      return (await tx.query(listSecrets, workspaceId)).map((row) => toSecretView(row, users));
    });
  }

  /**
   * Creates a secret, or gives one another value. Throws request.precondition_failed when it is at another revision,
   * secret.not_found when a revision is expected of one that is not there, secret.limit_reached.
   */
  put(
    caller: Caller,
    wanted: WantedSecret,
  ): Promise<{ readonly isNew: boolean; readonly secret: SecretView }> {
    const { workspaceId } = caller.access;
    return this.db.tenant(workspaceId, async (tx) => {
      await tx.query(lockSecretsOf, workspaceId);
      const [before] = await tx.query(lockSecret, workspaceId, wanted.name);
      const row = before
        ? await this.#replace(tx, caller, { before, wanted })
        : await this.#create(tx, caller, wanted);
      await this.#record(tx, caller, { row, action: before ? 'secret.replaced' : 'secret.created' });
      return { isNew: !before, secret: toSecretView(row, await tx.query(secretUsers, workspaceId)) };
    });
  }

  /** Deletes a secret. Throws secret.not_found, and secret.in_use with the workflows that use it, unless forced. */
  delete(caller: Caller, name: string, { force }: { readonly force: boolean }): Promise<void> {
    const { workspaceId } = caller.access;
    return this.db.tenant(workspaceId, async (tx) => {
      await tx.query(lockSecretsOf, workspaceId);
      // Waits for publications that use it; what they published is seen by the next statement.
      const [row] = await tx.query(lockSecret, workspaceId, name);
      if (!row) throw notFound(name);
      const users = (await tx.query(secretUsers, workspaceId)).filter((user) =>
        user.secretNames.includes(name),
      );
      if (users.length > 0 && !force) throw inUse(name, users);
      await tx.query(deleteSecret, workspaceId, row.id);
      await this.#record(tx, caller, { row, action: 'secret.deleted' });
    });
  }

  async #create(
    tx: Tx,
    { access: { workspaceId }, principal }: Caller,
    { name, value, description = '', expected }: WantedSecret,
  ): Promise<SecretRow> {
    if (expected !== 'any') throw notFound(name);
    const [{ count } = { count: 0 }] = await tx.query(countSecrets, workspaceId);
    if (count >= MAX_SECRETS_OF_WORKSPACE) throw limitReached;
    const id = this.ids.next();
    const sealed = this.ring.seal(value, sealContext(workspaceId, id));
    const by = principalKey(principal);
    return only(await tx.query(insertSecret, id, workspaceId, name, sealed, description, by));
  }

  async #replace(
    tx: Tx,
    { access: { workspaceId }, principal }: Caller,
    { before, wanted }: { readonly before: SecretRow; readonly wanted: WantedSecret },
  ): Promise<SecretRow> {
    const { value, description = null, expected } = wanted;
    if (expected !== 'any' && expected !== before.revision) throw staleRevision(expected, before.revision);
    const sealed = this.ring.seal(value, sealContext(workspaceId, before.id));
    return only(
      await tx.query(replaceSecret, before.id, workspaceId, sealed, description, principalKey(principal)),
    );
  }

  #record(
    tx: Tx,
    { access: { workspaceId }, principal, client }: Caller,
    { row, action }: { readonly row: SecretRow; readonly action: `secret.${string}` },
  ): Promise<void> {
    const after = { name: row.name, ...(action !== 'secret.deleted' && { revision: row.revision }) };
    const entry = { workspaceId, actor: principal, client, action, targetId: row.id, after };
    return this.audit.record(tx, { ...entry, targetKind: 'secret' });
  }
}

function only(rows: readonly SecretRow[]): SecretRow {
  const [row] = rows;
  if (!row) throw new Error('A secret was not stored.');
  return row;
}

function notFound(name: string): AppError {
  return new AppError(secretErrors.not_found, { detail: `The workspace has no secret ${name}.` });
}

function inUse(name: string, users: readonly SecretUser[]): AppError {
  const names = users.map((user) => `"${user.name}"`).join(', ');
  return new AppError(secretErrors.in_use, {
    detail: `${name} is used by ${names}. Publish them without it, or delete it with ?force=true: their nodes that need it fail then.`,
    meta: { workflows: users.map(({ id, name: title }) => ({ id, name: title })) },
  });
}

const limitReached = new AppError(secretErrors.limit_reached, {
  detail: `A workspace has at most ${MAX_SECRETS_OF_WORKSPACE} secrets, and there are as many. Delete one that is not used.`,
  meta: { limit: 'secrets', allowed: MAX_SECRETS_OF_WORKSPACE },
});
