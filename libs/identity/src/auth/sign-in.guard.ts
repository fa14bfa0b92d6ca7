import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import type { CheckedUser } from '../users/credentials.service';
import { signInBody } from './auth.dto';
import { badCredentials } from './bad-credentials';

/** What the guard leaves on the request. */
export interface SignInRequest extends FastifyRequest {
  user?: CheckedUser;
}

/** Lets a request sign in by passport's `local` strategy. One answer for an unknown address and a wrong password. */
@Injectable()
export class SignInGuard extends AuthGuard('local') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    // Guards come before pipes. A body of the wrong shape goes on, without a user, to the pipe that says what is wrong.
    if (!signInBody.safeParse(body).success) return true;
    await super.canActivate(context);
    return true;
  }

  override handleRequest<T>(error: unknown, user: T | false | null): T {
    if (error instanceof Error) throw error;
    if (user) return user;
    throw badCredentials();
  }
}

/** Whom the guard has checked. Fails closed: without the guard nobody is signed in. */
export function checkedUserOf({ user }: SignInRequest): CheckedUser {
  if (!user) throw badCredentials();
  return user;
}
