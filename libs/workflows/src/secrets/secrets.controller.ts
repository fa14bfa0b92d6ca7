import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  type Client,
  CurrentAccess,
  CurrentClient,
  CurrentPrincipal,
  etagOf,
  expectedRevisionOf,
  type Principal,
  Requires,
} from '#platform';
import {
  deletionQuery,
  secretBody,
  secretNameParam,
  secretsView,
  type SecretView,
  secretView,
} from './secrets.dto';
import { Secrets } from './secrets.service';

/** What workflows use and nobody reads: tokens, passwords, keys. */
@ApiTags('secrets')
@Controller('v1/workspaces/:workspaceId/secrets')
export class SecretsController {
  constructor(private readonly secrets: Secrets) {}

  /** The secrets of the workspace without their values: who set them when, and which published workflows use them. */
  @Get()
  @Requires('secret:manage')
  @ApiResponse({ status: 200, standardSchema: secretsView })
  async list(@CurrentAccess() { workspaceId }: Access): Promise<{ readonly data: readonly SecretView[] }> {
    return { data: await this.secrets.list(workspaceId) };
  }

  /** Creates a secret, or gives it another value, which runs use within five seconds. If-Match guards against overwriting. */
  @Put(':name')
  @Requires('secret:manage')
  @ApiResponse({ status: 201, standardSchema: secretView, description: 'A new secret.' })
  @ApiResponse({ status: 200, standardSchema: secretView, description: 'Another value.' })
  async put(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('name', { schema: secretNameParam }) name: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: secretBody }) { value, description }: z.output<typeof secretBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SecretView> {
    const expected = ifMatch === undefined ? 'any' : expectedRevisionOf(ifMatch);
    const wanted = { name, value, description, expected };
    const { isNew, secret } = await this.secrets.put({ access, principal, client }, wanted);
    void reply.status(isNew ? 201 : 200).header('etag', etagOf(secret.revision));
    return secret;
  }

  /** Deletes a secret, unless published workflows use it. */
  @Delete(':name')
  @HttpCode(204)
  @Requires('secret:manage')
  @ApiResponse({ status: 204, description: 'It is gone.' })
  async delete(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('name', { schema: secretNameParam }) name: string,
    @Query({ schema: deletionQuery }) { force }: z.output<typeof deletionQuery>,
  ): Promise<void> {
    await this.secrets.delete({ access, principal, client }, name, { force });
  }
}
