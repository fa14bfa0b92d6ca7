import { z } from 'zod';
import { pageSchema } from '#platform';
import type { ApiKeyEntity } from './api-key.entity';
import { oneLine } from '../one-line';
import { shownKey } from './raw-key';

export const createApiKeyBody = z
  .strictObject({
    name: oneLine(80),
    role: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('What the key may do at most. Without it: the least role that has all the scopes.'),
    scopes: z
      .array(z.string().min(1).max(60))
      .min(1)
      .max(50)
      .optional()
      .describe('Permissions, like "run:start". Without them the key may do all that its role may.'),
    /** Without it the key does not expire. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ role, scopes }) => role !== undefined || scopes !== undefined, {
    path: ['role'],
    message: 'a key needs a role, or scopes, or both',
  })
  .meta({ id: 'CreateApiKey' });

export type CreateApiKey = z.output<typeof createApiKeyBody>;

/** A key as people see it: enough to recognise it, nothing to use it. */
export const apiKeyView = z
  .object({
    id: z.uuid(),
    workspaceId: z.uuid(),
    name: z.string(),
    key: z.string().describe('The beginning of the key.'),
    role: z.string(),
    scopes: z.array(z.string()).nullable().describe('Null: all that the role may do.'),
    createdBy: z.uuid().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().describe('To the minute.'),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKeyView' });

export type ApiKeyView = Readonly<z.output<typeof apiKeyView>>;

export const apiKeyPage = pageSchema(apiKeyView);

/** The one answer that holds a whole key. */
export const createdApiKey = z
  .object({
    apiKey: apiKeyView,
    key: z.string().describe('The whole key. It is shown this once and stored nowhere.'),
  })
  .meta({ id: 'CreatedApiKey' });

export type CreatedApiKey = Readonly<z.output<typeof createdApiKey>>;

export function toApiKeyView(key: Omit<ApiKeyEntity, 'hash'>): ApiKeyView {
  return {
    id: key.id,
    workspaceId: key.workspaceId,
    name: key.name,
    key: shownKey(key.prefix),
    role: key.role,
    scopes: key.scopes,
    createdBy: key.createdBy,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}
