import { Controller, Get } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { AppError, CurrentPrincipal, platformErrors, type Principal } from '#platform';
import { ApiKeys } from '../api-keys/api-keys.service';
import { UserWorkspaces } from '../ports';
import { Users } from '../users/users.service';
import { type Me, me } from './me.dto';

/** Says to a person or a program who they are here. */
@ApiTags('auth')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly users: Users,
    private readonly keys: ApiKeys,
    private readonly workspaces: UserWorkspaces,
  ) {}

  @Get()
  @ApiResponse({ status: 200, standardSchema: me })
  async show(@CurrentPrincipal() principal: Principal): Promise<Me> {
    if (principal.kind === 'api_key') {
      return { kind: 'api_key', apiKey: await this.keys.get(principal.workspaceId, principal.apiKeyId) };
    }
    const user = await this.users.find(principal.userId);
    if (!user)
      throw new AppError(platformErrors.unauthenticated, { detail: 'This account does not exist any more.' });
    return { kind: 'user', user, workspaces: [...(await this.workspaces.of(user.id))] };
  }
}
