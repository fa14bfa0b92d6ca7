import { Module, type OnModuleInit } from '@nestjs/common';
import { Loops, Random } from '#platform';
import { ApiKeysController } from './api-keys/api-keys.controller';
import { ApiKeysRepository } from './api-keys/api-keys.repository';
import { ApiKeys } from './api-keys/api-keys.service';
import { ApiKeyStrategy } from './auth/api-key.strategy';
import { AuthController } from './auth/auth.controller';
import { LocalStrategy } from './auth/local.strategy';
import { MeController } from './auth/me.controller';
import { SessionStrategy } from './auth/session.strategy';
import { SignIn } from './auth/sign-in.service';
import { IdentityEntitiesModule } from './identity.entity';
import { IdentityPurge } from './identity-purge.loop';
import { SessionCookie } from './sessions/session-cookie';
import { Sessions } from './sessions/sessions.service';
import { Credentials } from './users/credentials.service';
import { Argon2PasswordHasher, PasswordHasher, PRODUCTION_COST } from './users/password-hasher';
import { SignUp } from './users/sign-up.service';
import { UsersRepository } from './users/users.repository';
import { Users } from './users/users.service';
import { EmailVerification } from './verification/email-verification.service';
import { VerificationController } from './verification/verification.controller';

/** People, their sessions, and the API keys of programs. Needs the ports of `ports.ts`. */
@Module({
  imports: [IdentityEntitiesModule],
  controllers: [AuthController, VerificationController, MeController, ApiKeysController],
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
    Sessions,
    SessionCookie,
    EmailVerification,
    ApiKeys,
    ApiKeysRepository,
    LocalStrategy,
    SessionStrategy,
    ApiKeyStrategy,
    IdentityPurge,
  ],
  exports: [Users],
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
