import { Injectable } from '@nestjs/common';
import {
  type Access,
  AccessChanges,
  type Actor,
  actorOf,
  type ApiKeyPrincipal,
  AppError,
  Clock,
  constantTimeEqual,
  Db,
  Ids,
  type Page,
  pageOf,
  platformErrors,
  type Principal,
  Random,
  sha256,
  type Tx,
  type UserPrincipal,
  type Client,
} from '#platform';
import { identityErrors } from '../errors';
import { type AuditEntry, AuditWriter, RoleGrants } from '../ports';
import { findUsableKey, lockKeysOfMaker, revokeKey, type RevokedKeyRow, touchKey } from './api-key.sql';
import { type ApiKeyPage, ApiKeysRepository, type NewApiKey } from './api-keys.repository';
import { type ApiKeyView, type CreateApiKey, type CreatedApiKey, toApiKeyView } from './api-keys.dto';
import { newRawKey, prefixOf } from './raw-key';

/** Who changes a key, in which workspace, from where. */
export interface Acting<P extends Principal = Principal> {
  readonly actor: P;
  readonly access: Access;
  readonly client: Client;
}

/** Somebody who may do less in a workspace than before, and through whom. */
export interface LostRole extends Client {
  readonly workspaceId: string;
  readonly userId: string;
  /** What they are now; null for nobody any more. */
  readonly role: string | null;
  readonly actor: Actor;
}

/** API keys: a workspace's programs act by them, with a role that is fixed when a key is made. */
@Injectable()
export class ApiKeys {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
    private readonly keys: ApiKeysRepository,
    private readonly roles: RoleGrants,
    private readonly audit: AuditWriter,
    private readonly accessChanges: AccessChanges,
  ) {}

  /**
   * Makes a key; its raw form is in this answer and nowhere else. Only people make keys: one that leaked could
   * otherwise outlive its own revocation. Throws identity.role_not_grantable, and request.invalid for a role or a scope
   * that there is not, or an expiry in the past.
   */
  async create(acting: Acting<UserPrincipal>, input: CreateApiKey): Promise<CreatedApiKey> {
    const { role, scopes } = this.#reachOf(input);
    const { raw, prefix } = newRawKey(this.random);
    const key: NewApiKey = {
      id: this.ids.next(),
      workspaceId: acting.access.workspaceId,
      name: input.name,
      prefix,
      hash: sha256(raw),
      role,
      scopes,
      createdBy: acting.actor.userId,
      createdAt: this.clock.now(),
      expiresAt: this.#expiryOf(input),
    };
    const apiKey = toApiKeyView({ ...key, lastUsedAt: null, revokedAt: null });
    await this.db.tenant(key.workspaceId, async (tx) => {
      // As of now, not of when the request came in: a key must not outlive the right to make it by a moment.
      const maker = { workspaceId: key.workspaceId, userId: acting.actor.userId };
      this.#requireGrantable(role, await this.roles.held(tx, maker));
      await this.keys.insert(tx, key);
      const { name, expiresAt } = apiKey;
      await this.audit.record(tx, {
        ...entry(acting, 'api_key.created', key.id),
        after: { name, role, scopes, expiresAt },
      });
    });
    return { apiKey, key: raw };
  }

  /** A workspace's keys, revoked and expired ones too, newest first. */
  async list(workspaceId: string, page: ApiKeyPage): Promise<Page<ApiKeyView>> {
    const rows = await this.db.tenant(workspaceId, (tx) => this.keys.list(tx, workspaceId, page));
    const { data, ...rest } = pageOf(rows, page.limit, ({ id }) => ({ id }));
    return { data: data.map(toApiKeyView), ...rest };
  }

  /** A key of a workspace. Throws request.not_found. */
  async get(workspaceId: string, id: string): Promise<ApiKeyView> {
    const key = await this.db.tenant(workspaceId, (tx) => this.keys.find(tx, workspaceId, id));
    if (!key) throw keyNotFound();
    return toApiKeyView(key);
  }

  /** Revokes a key at once and for good; one that is revoked already stays as it is. Throws request.not_found. */
  async revoke(acting: Acting, id: string): Promise<void> {
    const { workspaceId } = acting.access;
    await this.db.tenant(workspaceId, async (tx) => {
      const [revoked] = await tx.query(revokeKey, workspaceId, id, this.clock.pinned());
      if (!revoked) {
        if (await this.keys.find(tx, workspaceId, id)) return;
        throw keyNotFound();
      }
      await this.accessChanges.announce(tx, `api_key:${id}`);
      await this.audit.record(tx, { ...entry(acting, 'api_key.revoked', id), ...changeOf(revoked) });
    });
  }

  /**
   * Revokes the keys that somebody made in a workspace and may not have made any more: all of them when `role` is null,
   * because they are a member no longer, else those with more than the role may grant. What somebody handed out dies with
   * their right to hand it out. In the transaction that takes the right away.
   */
  async revokeBeyond(tx: Tx, lost: LostRole): Promise<void> {
    const { workspaceId, userId, role } = lost;
    const keys = await tx.query(lockKeysOfMaker, workspaceId, userId);
    const beyond = keys.filter((key) => role === null || !this.roles.mayGrant(key.role, role));
    for (const { id } of beyond) {
      const [revoked] = await tx.query(revokeKey, workspaceId, id, this.clock.pinned());
      if (!revoked) continue;
      await this.accessChanges.announce(tx, `api_key:${id}`);
      const target = { kind: 'api_key', id };
      const { actor, ip, userAgent } = lost;
      const reason = role === null ? 'Its maker is no longer a member.' : `Its maker is ${role} now.`;
      const action = 'api_key.revoked' as const;
      await this.audit.record(tx, {
        workspaceId,
        actor,
        ip,
        userAgent,
        action,
        target,
        reason,
        ...changeOf(revoked),
      });
    }
  }

  /**
   * Who a raw key acts as; null for one that is unknown, revoked or expired. One index probe by the prefix, then one
   * comparison in constant time. Notes at most once a minute that the key was used.
   */
  async authenticate(raw: string): Promise<ApiKeyPrincipal | null> {
    const prefix = prefixOf(raw);
    if (prefix === null) return null;
    const now = this.clock.pinned();
    const [key] = await this.db.executeControl(findUsableKey, prefix, now);
    if (!key || !constantTimeEqual(key.hash, sha256(raw))) return null;
    if (key.usedLongAgo) await this.db.executeControl(touchKey, key.id, now);
    const { id: apiKeyId, workspaceId, role, scopes } = key;
    return { kind: 'api_key', apiKeyId, workspaceId, role, scopes };
  }

  /** What a new key may do: its role, and the scopes that narrow it. */
  #reachOf({ role: wanted, scopes: given }: CreateApiKey) {
    const scopes = given === undefined ? null : [...new Set(given)].toSorted();
    const role = wanted ?? this.roles.leastWith(scopes ?? []);
    if (role === null) throw refused('/scopes', 'No role of an API key has all of these scopes.');
    if (!this.roles.known(role)) throw refused('/role', `There is no role "${role}".`);
    const allowed = this.roles.permissionsOf(role);
    const beyond = scopes?.find((scope) => !allowed.has(scope));
    if (beyond !== undefined) throw refused('/scopes', `The role "${role}" has no permission "${beyond}".`);
    return { role, scopes };
  }

  #requireGrantable(role: string, byRole: string | null): void {
    if (byRole === null) throw keyNotFound();
    if (this.roles.mayGrant(role, byRole)) return;
    throw new AppError(identityErrors.role_not_grantable, {
      detail: `As ${byRole} you cannot make an API key with the role "${role}".`,
      problems: [{ pointer: '/role', code: 'not_grantable', message: `may not be granted by ${byRole}` }],
    });
  }

  #expiryOf({ expiresAt }: CreateApiKey): Date | null {
    if (expiresAt === undefined) return null;
    const expiry = new Date(expiresAt);
    if (expiry > this.clock.now()) return expiry;
    throw refused('/expiresAt', `The key would have expired already: ${expiresAt} is in the past.`);
  }
}

/** Before and after of a revocation, for the audit log. */
function changeOf({ name, role, revokedAt }: RevokedKeyRow): Pick<AuditEntry, 'before' | 'after'> {
  return {
    before: { name, role, revokedAt: null },
    after: { name, role, revokedAt: revokedAt.toISOString() },
  };
}

function entry({ actor, access, client }: Acting, action: AuditEntry['action'], id: string) {
  return {
    workspaceId: access.workspaceId,
    actor: actorOf(actor),
    action,
    target: { kind: 'api_key', id },
    ...client,
  };
}

function refused(pointer: string, message: string): AppError {
  return new AppError(platformErrors.invalid, {
    detail: message,
    problems: [{ pointer, code: 'invalid', message }],
  });
}

/** The same for a key of another workspace and for one that never was. */
function keyNotFound(): AppError {
  return new AppError(platformErrors.not_found, { detail: 'There is no such API key in this workspace.' });
}
