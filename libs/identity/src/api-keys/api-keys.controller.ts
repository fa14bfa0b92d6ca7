import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  CurrentUser,
  decodeCursor,
  type Page,
  pageQuery,
  type Principal,
  Requires,
  type UserPrincipal,
  type Client,
  CurrentClient,
} from '#platform';
import {
  apiKeyPage,
  type ApiKeyView,
  type CreateApiKey,
  createApiKeyBody,
  createdApiKey,
  type CreatedApiKey,
} from './api-keys.dto';
import { ApiKeys } from './api-keys.service';

const cursor = z.strictObject({ id: z.uuid() });

/** API keys of a workspace. Creating one takes no Idempotency-Key: the answer holds a secret, which must not be kept. */
@ApiTags('api-keys')
@Controller('v1/workspaces/:workspaceId/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeys) {}

  /** Makes an API key with a role, scopes, or both. The answer is the only one that holds the whole key. */
  @Post()
  @Requires('api_key:manage')
  @ApiResponse({ status: 201, standardSchema: createdApiKey })
  create(
    @CurrentUser() actor: UserPrincipal,
    @CurrentAccess() access: Access,
    @CurrentClient() client: Client,
    @Body({ schema: createApiKeyBody }) body: CreateApiKey,
  ): Promise<CreatedApiKey> {
    return this.keys.create({ actor, access, client }, body);
  }

  /** The API keys of the workspace, newest first, revoked and expired ones too. */
  @Get()
  @Requires('api_key:manage')
  @ApiResponse({ status: 200, standardSchema: apiKeyPage })
  list(
    @CurrentAccess() access: Access,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<ApiKeyView>> {
    const before = decodeCursor(query.cursor, cursor)?.id ?? null;
    return this.keys.list(access.workspaceId, { limit: query.limit, before });
  }

  /** Revokes an API key at once and for good. */
  @Delete(':apiKeyId')
  @Requires('api_key:manage')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The key is revoked; its row stays.' })
  async revoke(
    @CurrentPrincipal() actor: Principal,
    @CurrentAccess() access: Access,
    @CurrentClient() client: Client,
    @Param('apiKeyId', { schema: z.uuid() }) apiKeyId: string,
  ): Promise<void> {
    await this.keys.revoke({ actor, access, client }, apiKeyId);
  }
}
