import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { WorkflowDefinition } from '../definition/schema';

/** What was published under a number. Written once by a statement and never changed: runs are pinned to it. */
@Entity('workflow_versions')
export class WorkflowVersionEntity {
  @PrimaryColumn('uuid')
  readonly id!: string;

  @Column({ type: 'uuid', name: 'workspace_id', insert: false, update: false })
  readonly workspaceId!: string;

  @Column({ type: 'uuid', name: 'workflow_id', insert: false, update: false })
  readonly workflowId!: string;

  /** 1, 2, 3, … in each workflow. */
  @Column({ type: 'integer', insert: false, update: false })
  readonly number!: number;

  /** Valid when it was published. */
  @Column({ type: 'json', insert: false, update: false })
  readonly definition!: WorkflowDefinition;

  /** `user:<id>` or `api_key:<id>`. */
  @Column({ type: 'text', name: 'published_by', insert: false, update: false })
  readonly publishedBy!: string;

  @Column({ type: 'timestamptz', name: 'published_at', insert: false, update: false })
  readonly publishedAt!: Date;
}
