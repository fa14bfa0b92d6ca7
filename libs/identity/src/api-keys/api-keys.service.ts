import { Injectable } from '@nestjs/common';
import {
  type Access,
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
  type UserPrincipal,
} from '#platform';
import { identityErrors } from '../errors';
import { type AuditEntry, AuditWriter, RoleGrants } from '../ports';
import type { Client } from '../sessions/client';
import { findUsableKey, revokeKey, touchKey } from './api-key.sql';
import { type ApiKeyPage, ApiKeysRepository, type NewApiKey } from './api-keys.repository';
import { type ApiKeyView, type CreateApiKey, type CreatedApiKey, toApiKeyView } from './api-keys.dto';
import { newRawKey, prefixOf } from './raw-key';

/** Who changes a key, in which workspace, from where. */
export interface Acting<P extends Principal = Principal> {
  readonly actor: P;
  readonly access: Access;
  readonly client: Client;
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
  ) {}

  /**
   * Makes a key; its raw form is in this answer and nowhere else. Only people make keys: one that leaked could
   * otherwise outlive its own revocation. Throws identity.role_not_grantable, and request.invalid for a role that there
   * is not or an expiry in the past.
   */
  async create(acting: Acting<UserPrincipal>, input: CreateApiKey): Promise<CreatedApiKey> {
    this.#checkRole(input.role, acting.access.role);
    const { raw, prefix } = newRawKey(this.random);
    const key: NewApiKey = {
      id: this.ids.next(),
      workspaceId: acting.access.workspaceId,
      name: input.name,
      prefix,
      hash: sha256(raw),
      role: input.role,
      createdBy: acting.actor.userId,
      createdAt: this.clock.now(),
      expiresAt: this.#expiryOf(input),
    };
    const apiKey = toApiKeyView({ ...key, lastUsedAt: null, revokedAt: null });
    await this.db.tenant(key.workspaceId, async (tx) => {
      await this.keys.insert(tx, key);
      const { name, role, expiresAt } = apiKey;
      await this.audit.record(tx, {
        ...entry(acting, 'api_key.created', key.id),
        after: { name, role, expiresAt },
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
      const { name, role, revokedAt } = revoked;
      await this.audit.record(tx, {
        ...entry(acting, 'api_key.revoked', id),
        before: { name, role, revokedAt: null },
        after: { name, role, revokedAt: revokedAt.toISOString() },
      });
    });
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
    return { kind: 'api_key', apiKeyId: key.id, workspaceId: key.workspaceId, role: key.role };
  }

  #checkRole(role: string, byRole: string): void {
    if (!this.roles.known(role)) throw refused('/role', `There is no role "${role}".`);
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

function entry({ actor, access, client }: Acting, action: AuditEntry['action'], id: string) {
  return { workspaceId: access.workspaceId, actor, action, target: { kind: 'api_key', id }, ...client };
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
