import { Controller, Get, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentUser, decodeCursor, type Page, pageQuery, type UserPrincipal } from '#platform';
import { SignInAttempts } from './sign-in-attempts.service';
import { signInAttemptPage, type SignInAttemptView } from './sign-ins.dto';

const cursor = z.strictObject({ id: z.uuid() });

/** Shows people who tried to sign in as them. */
@ApiTags('account')
@Controller('v1/me/sign-ins')
export class SignInsController {
  constructor(private readonly attempts: SignInAttempts) {}

  /** Attempts to sign in of the last 90 days, newest first. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: signInAttemptPage })
  list(
    @CurrentUser() user: UserPrincipal,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
  ): Promise<Page<SignInAttemptView>> {
    const before = decodeCursor(query.cursor, cursor)?.id ?? null;
    return this.attempts.list(user.userId, { limit: query.limit, before });
  }
}
