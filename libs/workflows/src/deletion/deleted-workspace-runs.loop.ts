import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessChanges, type LoopDuty, type LoopResult, Loops } from '#platform';
import { DeletedWorkspaces } from '../ports';
import { WorkspaceRuns } from './workspace-runs.service';

/**
 * Sees to it that no run of a deleted workspace goes on. Its deletion cancels nothing itself, because that would be one
 * transaction over as many runs as there are; the announcement of it wakes this duty, and every round finds what a lost
 * announcement, or a start that was under way, has left.
 */
@Injectable()
export class DeletedWorkspaceRuns implements LoopDuty, OnModuleInit {
  readonly name = 'deleted-workspace-runs';
  readonly role = 'scheduler';
  readonly everyMs = 30_000;

  constructor(
    private readonly deleted: DeletedWorkspaces,
    private readonly runs: WorkspaceRuns,
    private readonly loops: Loops,
    private readonly accessChanges: AccessChanges,
  ) {}

  onModuleInit(): void {
    const loop = this.loops.add(this);
    this.accessChanges.on((subject) => {
      if (subject === null || subject.startsWith('workspace:')) loop.wake();
    });
  }

  async runOnce(): Promise<LoopResult> {
    const { stopped, more } = await this.runs.stop(await this.deleted.all());
    return { rows: stopped, again: more };
  }
}
