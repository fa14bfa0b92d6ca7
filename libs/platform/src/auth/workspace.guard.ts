import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { currentRequest } from '../http/request-context';
import { isUuid } from '../ids/ids';
import { type AuthenticatedRequest, PUBLIC_ROUTE, REQUIRED_PERMISSION } from './decorators';
import type { Principal } from './principal';
import { type Access, WorkspaceAccess } from './workspace-access.port';

type WorkspaceRequest = FastifyRequest<{ Params: { readonly workspaceId?: string } }> & AuthenticatedRequest;

/**
 * Global, after authentication: on routes under `/v1/workspaces/:workspaceId` the principal must belong to the workspace
 * and hold the permission of `@Requires`. Workspaces that are missing, foreign or misspelt give one and the same 404.
 */
@Injectable()
export class WorkspaceGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly workspaceAccess: WorkspaceAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WorkspaceRequest>();
    const { principal } = request;
    const { workspaceId } = request.params;
    const permission = this.#metadata<string>(REQUIRED_PERMISSION, context);
    if (this.#metadata<boolean>(PUBLIC_ROUTE, context)) return true;
    if ((workspaceId === undefined) !== (permission === undefined)) throw halfGuarded(request);
    if (workspaceId === undefined || permission === undefined) return true;
    if (!principal) throw new Error('The workspace guard must run after the authentication guard.');
    const access = await this.#accessOf(principal, workspaceId);
    requirePermission(access, permission);
    request.access = access;
    const log = currentRequest();
    if (log) log.workspaceId = access.workspaceId;
    return true;
  }

  async #accessOf(principal: Principal, workspaceId: string): Promise<Access> {
    const isForeign = principal.kind === 'api_key' && principal.workspaceId !== workspaceId;
    const access =
      isForeign || !isUuid(workspaceId) ? null : await this.workspaceAccess.of(principal, workspaceId);
    if (access) return access;
    throw new AppError(platformErrors.not_found, { detail: 'No such workspace, or it is not yours.' });
  }

  #metadata<T>(key: string, context: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride<T | undefined>(key, [context.getHandler(), context.getClass()]);
  }
}

function requirePermission({ permissions, role }: Access, permission: string): void {
  if (permissions.has(permission)) return;
  throw new AppError(platformErrors.forbidden, {
    detail: `This needs the permission "${permission}", which your role "${role}" does not have.`,
    meta: { permission, role },
  });
}

/** A mistake of ours, answered with a 500: letting such a route through would be worse. */
function halfGuarded(request: FastifyRequest): Error {
  const route = `${request.method} ${request.routeOptions.url ?? request.url}`;
  return new Error(`${route} needs both :workspaceId in its path and @Requires on its handler, or neither.`);
}
