import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import type { Principal, UserPrincipal } from './principal';
import type { Access } from './workspace-access.port';

export const PUBLIC_ROUTE = 'millrace:public';
export const RECOGNISING_ROUTE = 'millrace:recognising';
export const REQUIRED_PERMISSION = 'millrace:requires';

/** What guards leave on the request for handlers to read. */
export interface AuthenticatedRequest {
  principal?: Principal;
  access?: Access;
}

/** A route anyone may call. Every other route needs a principal. */
export const Public = () => SetMetadata(PUBLIC_ROUTE, true);

/** Beside `@Public`: a route for anyone that does more for whoever has signed in (`@CurrentVisitor`). */
export const Recognises = () => SetMetadata(RECOGNISING_ROUTE, true);

/** The permission a route under `/v1/workspaces/:workspaceId` needs, e.g. `workflow:write`. */
export const Requires = (permission: string) => SetMetadata(REQUIRED_PERMISSION, permission);

function requestOf(context: ExecutionContext): AuthenticatedRequest {
  return context.switchToHttp().getRequest<AuthenticatedRequest>();
}

/** Handler parameter: who is asking. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = requestOf(context);
  if (!principal)
    throw new AppError(platformErrors.unauthenticated, { detail: 'Sign in or send an API key.' });
  return principal;
});

/** Handler parameter: the signed-in person; an API key is refused. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): UserPrincipal => {
  const { principal } = requestOf(context);
  if (principal?.kind === 'user') return principal;
  if (!principal) throw new AppError(platformErrors.unauthenticated, { detail: 'Sign in first.' });
  throw new AppError(platformErrors.forbidden, { detail: 'This needs a signed-in person, not an API key.' });
});

/** Handler parameter of a route that `@Recognises`: the signed-in person, null for everybody else. */
export const CurrentVisitor = createParamDecorator(
  (_: unknown, context: ExecutionContext): UserPrincipal | null => {
    const { principal } = requestOf(context);
    return principal?.kind === 'user' ? principal : null;
  },
);

/** Handler parameter: the workspace of the route and what the principal may do in it. */
export const CurrentAccess = createParamDecorator((_: unknown, context: ExecutionContext): Access => {
  const { access } = requestOf(context);
  if (!access)
    throw new Error('CurrentAccess needs a route under /v1/workspaces/:workspaceId with @Requires.');
  return access;
});
