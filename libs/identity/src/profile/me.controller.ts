import { Body, Controller, Get, HttpCode, Patch, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  answerStanding,
  CurrentPrincipal,
  CurrentUser,
  type Principal,
  RateLimit,
  type UserPrincipal,
} from '#platform';
import { accepted, type Accepted } from '../accepted.dto';
import { ApiKeys } from '../api-keys/api-keys.service';
import { routeLimits } from '../limits';
import { UserWorkspaces } from '../ports';
import { type UserView, userView } from '../users/users.dto';
import { Users } from '../users/users.service';
import { EmailChange } from '../verification/email-change.service';
import { type ChangeEmail, changeEmailBody } from '../verification/verification.dto';
import { acceptTermsBody, type Me, me, termsView, type TermsView, updateMeBody } from './me.dto';
import { accountGone, Profile } from './profile.service';

const ON_ITS_WAY: Accepted = {
  message:
    'A mail to the new address is on its way. Your account has it once the link in the mail was followed.',
};

/** Says to a person or a program who they are here, and lets people change what they told of themselves. */
@ApiTags('account')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly users: Users,
    private readonly keys: ApiKeys,
    private readonly workspaces: UserWorkspaces,
    private readonly profile: Profile,
    private readonly emails: EmailChange,
  ) {}

  /** Whose credentials these are: a person's, or an API key's. */
  @Get()
  @ApiResponse({ status: 200, standardSchema: me })
  async show(@CurrentPrincipal() principal: Principal): Promise<Me> {
    if (principal.kind === 'api_key') {
      return { kind: 'api_key', apiKey: await this.keys.get(principal.workspaceId, principal.apiKeyId) };
    }
    const user = await this.users.find(principal.userId);
    if (!user) throw accountGone();
    const [terms, workspaces] = [await this.profile.terms(user.id), await this.workspaces.of(user.id)];
    return { kind: 'user', user, terms, workspaces: [...workspaces] };
  }

  /** Changes one's name. */
  @Patch()
  @ApiResponse({ status: 200, standardSchema: userView })
  update(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: updateMeBody }) { name }: z.output<typeof updateMeBody>,
  ): Promise<UserView> {
    return this.profile.rename(user.userId, name);
  }

  /** Asks for another e-mail address. It is changed when the new mailbox has proven itself. */
  @Post('email')
  @HttpCode(202)
  @RateLimit(routeLimits.passwordCheck, routeLimits.emailChange)
  @ApiResponse({ status: 202, standardSchema: accepted })
  async changeEmail(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: changeEmailBody }) body: ChangeEmail,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Accepted> {
    answerStanding(reply, await this.emails.ask(user, body));
    return ON_ITS_WAY;
  }

  /** Accepts the terms in force. */
  @Post('terms')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: termsView })
  acceptTerms(
    @CurrentUser() user: UserPrincipal,
    @Body({ schema: acceptTermsBody }) { version }: z.output<typeof acceptTermsBody>,
  ): Promise<TermsView> {
    return this.profile.acceptTerms(user.userId, version);
  }
}
