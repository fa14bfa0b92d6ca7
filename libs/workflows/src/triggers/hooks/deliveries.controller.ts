import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  CurrentAccess,
  CurrentPrincipal,
  decodeCursor,
  type IdempotencyKey,
  IdempotencyKeyOf,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import { workflowIdParam } from '../../catalog/workflows.dto';
import {
  deliveriesCursor,
  deliveriesPage,
  deliveriesQuery,
  deliveryIdParam,
  type DeliverySummary,
  deliveryView,
  type DeliveryView,
  storedDelivery,
  testBody,
} from './deliveries.dto';
import type { Accepted } from './deliveries.service';
import { hookIdParam } from './hook-settings.dto';
import { InboxReader } from './inbox-reader.service';

/** What came to a webhook. */
@ApiTags('hooks')
@Controller('v1/workspaces/:workspaceId/workflows/:workflowId/hooks/:hookId')
export class DeliveriesController {
  constructor(private readonly inbox: InboxReader) {}

  /** The deliveries of a webhook, the newest first, with what became of each. */
  @Get('deliveries')
  @Requires('hook:read')
  @ApiResponse({ status: 200, standardSchema: deliveriesPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Query({ schema: deliveriesQuery }) query: z.output<typeof deliveriesQuery>,
  ): Promise<Page<DeliverySummary>> {
    const before = decodeCursor(query.cursor, deliveriesCursor);
    return this.inbox.list({ workspaceId, workflowId, hookId }, query, before?.id ?? null);
  }

  /** One delivery with its payload. Signatures, credentials and fields that are named like secrets are masked. */
  @Get('deliveries/:deliveryId')
  @Requires('hook:read')
  @ApiResponse({ status: 200, standardSchema: deliveryView })
  get(
    @CurrentAccess() { workspaceId }: Access,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Param('deliveryId', { schema: deliveryIdParam }) deliveryId: string,
  ): Promise<DeliveryView> {
    return this.inbox.get({ workspaceId, workflowId, hookId }, deliveryId);
  }

  /** Starts another run with the event of a delivery, of one that was refused as well. */
  @Post('deliveries/:deliveryId/replay')
  @Requires('hook:manage')
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key replays it once.' })
  @ApiResponse({ status: 201, standardSchema: storedDelivery })
  @ApiResponse({
    status: 200,
    standardSchema: storedDelivery,
    description: 'The run this key started before.',
  })
  async replay(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Param('deliveryId', { schema: deliveryIdParam }) deliveryId: string,
    @IdempotencyKeyOf() key: IdempotencyKey | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Accepted> {
    const place = { workspaceId, workflowId, hookId };
    const accepted = await this.inbox.replay(place, deliveryId, { principal, key });
    if (accepted.duplicate) void reply.status(200);
    return accepted;
  }

  /** Calls the webhook with this body as its sender would, signed with its secrets. */
  @Post('test')
  @Requires('hook:manage')
  @ApiResponse({ status: 201, standardSchema: storedDelivery })
  test(
    @CurrentAccess() { workspaceId }: Access,
    @CurrentPrincipal() principal: Principal,
    @Param('workflowId', { schema: workflowIdParam }) workflowId: string,
    @Param('hookId', { schema: hookIdParam }) hookId: string,
    @Body({ schema: testBody }) body: z.output<typeof testBody>,
  ): Promise<Accepted> {
    return this.inbox.test({ workspaceId, workflowId, hookId }, body, principal);
  }
}
