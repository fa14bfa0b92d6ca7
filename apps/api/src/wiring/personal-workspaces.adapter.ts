import { Injectable } from '@nestjs/common';
import { type PersonalWorkspace, PersonalWorkspaces, type PreparedWorkspace } from '#identity';
import type { Tx } from '#platform';
import { Workspaces } from '#workspaces';

/** Everyone gets a workspace at sign-up, in the transaction of the sign-up. */
@Injectable()
export class PersonalWorkspacesAdapter extends PersonalWorkspaces {
  constructor(private readonly workspaces: Workspaces) {
    super();
  }

  prepare(): Promise<PreparedWorkspace> {
    return this.workspaces.prepare();
  }

  async create(tx: Tx, prepared: PreparedWorkspace, { userId, name }: PersonalWorkspace): Promise<void> {
    await this.workspaces.createIn(tx, prepared, { ownerId: userId, name });
  }
}
