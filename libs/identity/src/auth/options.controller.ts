import { Controller, Get } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Config, Public } from '#platform';
import { OAuthProviders } from '../oauth/oauth-providers.service';
import { PASSWORD_RULES } from '../users/password-rules';
import { authOptions, type AuthOptions } from './options.dto';

/** Tells pages for signing up and in what they may offer. */
@ApiTags('auth')
@Controller('v1/auth/options')
export class OptionsController {
  constructor(
    private readonly config: Config,
    private readonly providers: OAuthProviders,
  ) {}

  /** How one may sign up and in here. */
  @Public()
  @Get()
  @ApiResponse({ status: 200, standardSchema: authOptions })
  show(): AuthOptions {
    const { signupMode, termsVersion } = this.config.values;
    const providers = this.providers.options().map(({ id }) => id);
    return { signupMode, termsVersion, passwordRules: PASSWORD_RULES, providers };
  }
}
