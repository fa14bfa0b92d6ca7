import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  type Access,
  type Client,
  CurrentAccess,
  CurrentClient,
  CurrentPrincipal,
  type Principal,
  Requires,
} from '#platform';
import { workflowIdParam } from '../../catalog/workflows.dto';
import {
  hookIdParam,
  hooksView,
  rotateBody,
  type RotatedToken,
  rotatedToken,
  secretBody,
  secretKindParam,
  type SetSecret,
  setSecretView,
} from './hook-settings.dto';
import { HookSettings } from './hook-settings.service';

/** The webhooks of a workflow: addresses and secrets. */
@ApiTags('hooks')
@Controller('v1/workspaces/:workspaceId/workflows/:workflowId/hooks')
export class HookSettingsController {
  constructor(private readonly settings: HookSettings) {}

  /** The webhooks of a workflow with their addresses, and which secrets are set. */
  @Get()
  @Requires('hook:read')
  @ApiResponse({ status: 200, standardSchema: hooksView })
  async list(
    @CurrentAccess() { workspaceId }: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
  ): Promise<z.output<typeof hooksView>> {
    return { data: await this.settings.list(workspaceId, workflowId) };
  }

  /** Gives the webhook another address. The one it has works until the overlap ends. Its secrets stay. */
  @Post(':hookId/rotate-token')
  @HttpCode(200)
  @Requires('hook:manage')
  @ApiResponse({ status: 200, standardSchema: rotatedToken })
  rotateToken(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Body({ schema: rotateBody }) { overlapSeconds }: z.output<typeof rotateBody>,
  ): Promise<RotatedToken> {
    return this.settings.rotateToken({ access, principal, client, workflowId, hookId }, overlapSeconds);
  }

  /** Sets a secret, or makes one and shows it this once. The one before holds until the overlap ends. The address stays. */
  @Put(':hookId/secrets/:kind')
  @Requires('hook:manage')
  @ApiResponse({ status: 200, standardSchema: setSecretView })
  setSecret(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Param('kind', { schema: secretKindParam }) kind: z.output<typeof secretKindParam>,
    @Body({ schema: secretBody }) body: z.output<typeof secretBody>,
  ): Promise<SetSecret> {
    return this.settings.setSecret({ access, principal, client, workflowId, hookId }, kind, body);
  }

  /** Forgets a secret at once. Calls that need it are rejected from now on. */
  @Delete(':hookId/secrets/:kind')
  @HttpCode(204)
  @Requires('hook:manage')
  @ApiResponse({ status: 204 })
  deleteSecret(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Param('kind', { schema: secretKindParam }) kind: z.output<typeof secretKindParam>,
  ): Promise<void> {
    return this.settings.deleteSecret({ access, principal, client, workflowId, hookId }, kind);
  }
}
