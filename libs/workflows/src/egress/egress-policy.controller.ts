import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  type Access,
  type Client,
  CurrentAccess,
  CurrentClient,
  CurrentPrincipal,
  decodeCursor,
  etagOf,
  type ExpectedRevision,
  IfMatch,
  type Page,
  type Principal,
  Requires,
} from '#platform';
import {
  blockEventsCursor,
  blockEventsPage,
  blockEventsQuery,
  type BlockEventView,
  clearBlocksQuery,
  clearedBlocks,
} from './block-events.dto';
import { BlockEvents } from './block-events.service';
import { EgressPolicies } from './egress-policies.service';
import {
  egressPolicyBody,
  egressPolicyView,
  type EgressPolicyView,
  egressTestBody,
  egressTestView,
  type EgressTestView,
} from './egress-policy.dto';

/** What the workflows of a workspace may call, and what they were refused. */
@ApiTags('egress')
@Controller('v1/workspaces/:workspaceId')
export class EgressPolicyController {
  constructor(
    private readonly policies: EgressPolicies,
    private readonly events: BlockEvents,
  ) {}

  /** The egress policy of the workspace. Its ETag is its revision. */
  @Get('egress-policy')
  @Requires('egress:read')
  @ApiResponse({ status: 200, standardSchema: egressPolicyView })
  async show(
    @CurrentAccess() { workspaceId }: Access,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EgressPolicyView> {
    return tagged(reply, await this.policies.get(workspaceId));
  }

  /** Replaces the egress policy, unless somebody else did since the revision in If-Match. */
  @Put('egress-policy')
  @Requires('egress:manage')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag you have read, or * to overwrite.' })
  @ApiResponse({ status: 200, standardSchema: egressPolicyView })
  async save(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @IfMatch() expected: ExpectedRevision,
    @Body({ schema: egressPolicyBody }) body: z.output<typeof egressPolicyBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EgressPolicyView> {
    return tagged(reply, await this.policies.save({ access, principal, client }, body, expected));
  }

  /** What would be decided of a request to a URL, and by which rule. None is made, and no name is resolved. */
  @Post('egress-policy/test')
  @HttpCode(200)
  @Requires('egress:read')
  @ApiResponse({ status: 200, standardSchema: egressTestView })
  test(
    @CurrentAccess() { workspaceId }: Access,
    @Body({ schema: egressTestBody }) body: z.output<typeof egressTestBody>,
  ): Promise<EgressTestView> {
    return this.policies.test(workspaceId, body);
  }

  /** Requests that were refused, or that a dry run would have refused, the newest first. */
  @Get('egress-blocks')
  @Requires('egress:read')
  @ApiResponse({ status: 200, standardSchema: blockEventsPage })
  list(
    @CurrentAccess() { workspaceId }: Access,
    @Query({ schema: blockEventsQuery }) query: z.output<typeof blockEventsQuery>,
  ): Promise<Page<BlockEventView>> {
    return this.events.list(workspaceId, query, decodeCursor(query.cursor, blockEventsCursor)?.id ?? null);
  }

  /** Forgets refused requests, all of them or those before an instant. */
  @Delete('egress-blocks')
  @Requires('egress:manage')
  @ApiResponse({ status: 200, standardSchema: clearedBlocks })
  async clear(
    @CurrentAccess() access: Access,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
    @Query({ schema: clearBlocksQuery }) { before }: z.output<typeof clearBlocksQuery>,
  ): Promise<z.output<typeof clearedBlocks>> {
    const instant = before === undefined ? null : new Date(before);
    return { deleted: await this.events.clear({ access, principal, client }, instant) };
  }
}

function tagged(reply: FastifyReply, view: EgressPolicyView): EgressPolicyView {
  void reply.header('etag', etagOf(view.revision));
  return view;
}
