import { Module, type OnModuleInit } from '@nestjs/common';
import { Loops, Random } from '#platform';
import { ApiKeysController } from './api-keys/api-keys.controller';
import { ApiKeysPurge } from './api-keys/api-keys-purge.service';
import { ApiKeysRepository } from './api-keys/api-keys.repository';
import { ApiKeys } from './api-keys/api-keys.service';
import { ApiKeyStrategy } from './auth/api-key.strategy';
import { AuthController } from './auth/auth.controller';
import { LocalStrategy } from './auth/local.strategy';
import { OptionsController } from './auth/options.controller';
import { Principals } from './auth/principals.service';
import { SessionStrategy } from './auth/session.strategy';
import { SignIn } from './auth/sign-in.service';
import { AccountDeletionController } from './deletion/account-deletion.controller';
import { AccountDeletion } from './deletion/account-deletion.service';
import { IdentityEntitiesModule } from './identity.entity';
import { IdentityPurge } from './identity-purge.loop';
import { IdentitiesController } from './oauth/identities.controller';
import { Identities } from './oauth/identities.service';
import { OAuthController } from './oauth/oauth.controller';
import { OAuthGuard } from './oauth/oauth.guard';
import { OAuthStrategy } from './oauth/oauth.strategy';
import { OAuthAttempts } from './oauth/oauth-attempts.service';
import { OAuthProviders } from './oauth/oauth-providers.service';
import { OAuthSignIn } from './oauth/oauth-sign-in.service';
import { PersonCheck } from './second-factor/person-check.service';
import { SecondFactorController } from './second-factor/second-factor.controller';
import { SecondFactorPageController } from './second-factor/second-factor-page.controller';
import { SecondFactorSignInController } from './second-factor/second-factor-sign-in.controller';
import { SecondFactorSignIn } from './second-factor/second-factor-sign-in.service';
import { SecondFactors } from './second-factor/second-factors.service';
import { PasswordReset } from './passwords/password-reset.service';
import { PasswordsController } from './passwords/passwords.controller';
import { Passwords } from './passwords/passwords.service';
import { ResetPageController } from './passwords/reset-page.controller';
import { MeController } from './profile/me.controller';
import { Profile } from './profile/profile.service';
import { SessionCookie } from './sessions/session-cookie';
import { SessionsController } from './sessions/sessions.controller';
import { Sessions } from './sessions/sessions.service';
import { SignInAttempts } from './sign-ins/sign-in-attempts.service';
import { SignInsController } from './sign-ins/sign-ins.controller';
import { UserTokens } from './tokens/user-tokens.service';
import { Credentials } from './users/credentials.service';
import { Argon2PasswordHasher, PasswordHasher, PRODUCTION_COST } from './users/password-hasher';
import { SignUp } from './users/sign-up.service';
import { UsersRepository } from './users/users.repository';
import { Users } from './users/users.service';
import { EmailChange } from './verification/email-change.service';
import { EmailVerification } from './verification/email-verification.service';
import { VerificationController } from './verification/verification.controller';
import { WaitlistController } from './waitlist/waitlist.controller';
import { Waitlist } from './waitlist/waitlist.service';

/** People, their sessions, and the API keys of programs. Needs the ports of `ports.ts`. */
@Module({
  imports: [IdentityEntitiesModule],
  controllers: [
    AuthController,
    SecondFactorSignInController,
    SecondFactorPageController,
    OAuthController,
    OptionsController,
    WaitlistController,
    VerificationController,
    PasswordsController,
    ResetPageController,
    MeController,
    SecondFactorController,
    IdentitiesController,
    SessionsController,
    SignInsController,
    ApiKeysController,
    AccountDeletionController,
  ],
  providers: [
    {
      provide: PasswordHasher,
      inject: [Random],
      useFactory: (random: Random) => new Argon2PasswordHasher(PRODUCTION_COST, random.token()),
    },
    Users,
    UsersRepository,
    Credentials,
    SignUp,
    SignIn,
    SignInAttempts,
    Passwords,
    PasswordReset,
    Profile,
    Waitlist,
    PersonCheck,
    SecondFactors,
    SecondFactorSignIn,
    OAuthProviders,
    OAuthAttempts,
    OAuthStrategy,
    OAuthGuard,
    OAuthSignIn,
    Identities,
    Principals,
    Sessions,
    SessionCookie,
    UserTokens,
    EmailVerification,
    EmailChange,
    AccountDeletion,
    ApiKeys,
    ApiKeysRepository,
    ApiKeysPurge,
    LocalStrategy,
    SessionStrategy,
    ApiKeyStrategy,
    IdentityPurge,
  ],
  exports: [ApiKeysPurge, Users, Principals, ApiKeys],
})
export class IdentityModule implements OnModuleInit {
  constructor(
    private readonly loops: Loops,
    private readonly purge: IdentityPurge,
  ) {}

  onModuleInit(): void {
    this.loops.add(this.purge);
  }
}
