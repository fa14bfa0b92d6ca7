import { Injectable } from '@nestjs/common';
import { type UserWorkspace, UserWorkspaces } from '#identity';
import { Workspaces } from '#workspaces';

/** `GET /v1/me` lists the workspaces of a person: at most 50, so one page holds them all. */
@Injectable()
export class UserWorkspacesAdapter extends UserWorkspaces {
  constructor(private readonly workspaces: Workspaces) {
    super();
  }

  async of(userId: string): Promise<readonly UserWorkspace[]> {
    const { data } = await this.workspaces.listOf(userId, { limit: 100, afterId: null });
    return data.map(({ id, name, slug, role }) => ({ id, name, slug, role }));
  }
}
