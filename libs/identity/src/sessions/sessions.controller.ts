import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  AppError,
  CurrentUser,
  decodeCursor,
  type Page,
  pageQuery,
  platformErrors,
  type UserPrincipal,
} from '#platform';
import { revokedSessions, sessionPage, type SessionView } from './sessions.dto';
import { Sessions } from './sessions.service';

const cursor = z.strictObject({ id: z.uuid() });

/** Where somebody is signed in, and how to end it. */
@ApiTags('account')
@Controller('v1/me/sessions')
export class SessionsController {
  constructor(private readonly sessions: Sessions) {}

  /** Sessions that hold, newest first. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: sessionPage })
  list(
    @CurrentUser() user: UserPrincipal,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<SessionView>> {
    const before = decodeCursor(query.cursor, cursor)?.id ?? null;
    return this.sessions.list(user, { limit: query.limit, before });
  }

  /** Ends a session. The one this request is made with is ended, too, when it is named. */
  @Delete(':sessionId')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The session is over, in every process.' })
  async end(
    @CurrentUser() user: UserPrincipal,
    @Param('sessionId', { schema: z.uuid() }) sessionId: string,
  ): Promise<void> {
    const ended = await this.sessions.end(user.userId, sessionId);
    if (!ended) throw new AppError(platformErrors.not_found, { detail: 'You have no such session.' });
  }

  /** Ends every session but the one this request is made with. */
  @Post('revoke-others')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: revokedSessions })
  async revokeOthers(@CurrentUser() user: UserPrincipal): Promise<z.output<typeof revokedSessions>> {
    return { revoked: await this.sessions.endOthers(user) };
  }
}
