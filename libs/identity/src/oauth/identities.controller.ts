import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentUser, type UserPrincipal } from '#platform';
import { Identities } from './identities.service';
import { providerParam, userIdentities } from './oauth.dto';
import type { ProviderId } from './oauth-provider';

/** One's own ways to sign in with a provider. Linking one begins in the browser: `GET /v1/auth/oauth/:provider?link=true`. */
@ApiTags('account')
@Controller('v1/me/identities')
export class IdentitiesController {
  constructor(private readonly identities: Identities) {}

  /** The providers that open your account. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: userIdentities })
  async list(@CurrentUser() { userId }: UserPrincipal): Promise<z.output<typeof userIdentities>> {
    const found = await this.identities.list(userId);
    return { data: found.map((one) => ({ ...one, createdAt: one.createdAt.toISOString() })) };
  }

  /** Takes a provider away; refused when you could not sign in without it. */
  @Delete(':provider')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The provider does not open your account any more.' })
  async unlink(
    @CurrentUser() { userId }: UserPrincipal,
    @Param('provider', { schema: providerParam }) provider: ProviderId,
  ): Promise<void> {
    await this.identities.unlink(userId, provider);
  }
}
