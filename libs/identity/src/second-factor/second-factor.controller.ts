import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentUser, RateLimit, type UserPrincipal } from '#platform';
import { routeLimits } from '../limits';
import {
  beginSecondFactorBody,
  begunSecondFactor,
  disableSecondFactorBody,
  recoveryCodes,
  secondFactorCodeBody,
  secondFactorState,
} from './second-factor.dto';
import { SecondFactors } from './second-factors.service';

/** One's own second factor: set up, looked at, switched off. */
@ApiTags('account')
@Controller('v1/me/two-factor')
export class SecondFactorController {
  constructor(private readonly factors: SecondFactors) {}

  /** Makes a secret for an authenticator app. It is asked for once `enable` has seen a code of it. */
  @Post()
  @RateLimit(routeLimits.passwordCheck)
  @ApiResponse({ status: 201, standardSchema: begunSecondFactor })
  begin(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: beginSecondFactorBody }) { password }: z.output<typeof beginSecondFactorBody>,
  ): Promise<z.output<typeof begunSecondFactor>> {
    return this.factors.begin(user, password);
  }

  /** Switches it on with the first code; ends your other sessions. */
  @Post('enable')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: recoveryCodes })
  async enable(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: secondFactorCodeBody }) { code }: z.output<typeof secondFactorCodeBody>,
  ): Promise<z.output<typeof recoveryCodes>> {
    return { recoveryCodes: [...(await this.factors.enable(user, code))] };
  }

  /** Whether it is on, and how many recovery codes are left. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: secondFactorState })
  show(@CurrentUser() user: UserPrincipal): Promise<z.output<typeof secondFactorState>> {
    return this.factors.state(user.userId);
  }

  /** New recovery codes in place of all old ones. */
  @Post('recovery-codes')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: recoveryCodes })
  async renew(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: secondFactorCodeBody }) { code }: z.output<typeof secondFactorCodeBody>,
  ): Promise<z.output<typeof recoveryCodes>> {
    return { recoveryCodes: [...(await this.factors.renewCodes(user.userId, code))] };
  }

  /** Switches it off. */
  @Post('disable')
  @RateLimit(routeLimits.passwordCheck)
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Signing in asks for no code any more.' })
  async disable(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: disableSecondFactorBody }) body: z.output<typeof disableSecondFactorBody>,
  ): Promise<void> {
    await this.factors.disable(user, body);
  }
}
