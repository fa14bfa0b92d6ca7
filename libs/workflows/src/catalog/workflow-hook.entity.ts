import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The address of a webhook trigger, made when its node was first published and kept from then on: a node that is taken
 * out and put back has its old URL again.
 */
@Entity('workflow_hooks')
export class WorkflowHookEntity {
  @PrimaryColumn('uuid')
  readonly id!: string;

  @Column({ type: 'uuid', name: 'workspace_id', insert: false, update: false })
  readonly workspaceId!: string;

  @Column({ type: 'uuid', name: 'workflow_id', insert: false, update: false })
  readonly workflowId!: string;

  @Column({ type: 'text', name: 'node_id', insert: false, update: false })
  readonly nodeId!: string;

  /** Part of what the token is derived from. */
  @Column({ type: 'integer', insert: false, update: false })
  readonly generation!: number;

  /** Until when the address of the generation before works as well. */
  @Column({ type: 'timestamptz', name: 'previous_until', nullable: true, insert: false, update: false })
  readonly previousUntil!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  readonly createdAt!: Date;
}
