import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { WorkflowDefinition } from '../definition/schema';

/** A workflow with its draft. Only the name is changed through here; the rest is written by statements. */
@Entity('workflows')
export class WorkflowEntity {
  @PrimaryColumn('uuid')
  readonly id!: string;

  @Column({ type: 'uuid', name: 'workspace_id', insert: false, update: false })
  readonly workspaceId!: string;

  @Column('text')
  readonly name!: string;

  /** Of the right shape; its graph may still be in pieces. */
  @Column({ type: 'json', insert: false, update: false })
  readonly draft!: WorkflowDefinition;

  /** Goes up by one with each saved draft; the ETag. */
  @Column({ type: 'integer', name: 'draft_revision', insert: false, update: false })
  readonly draftRevision!: number;

  @Column({ type: 'uuid', name: 'published_version_id', nullable: true, insert: false, update: false })
  readonly publishedVersionId!: string | null;

  @Column({ type: 'timestamptz', name: 'archived_at', nullable: true, insert: false, update: false })
  readonly archivedAt!: Date | null;

  /** While it is set, runs are accepted and none begins or goes on after a wait. */
  @Column({ type: 'timestamptz', name: 'paused_at', nullable: true, insert: false, update: false })
  readonly pausedAt!: Date | null;

  @Column({ type: 'text', name: 'paused_by', nullable: true, insert: false, update: false })
  readonly pausedBy!: string | null;

  /** `user:<id>` or `api_key:<id>`. */
  @Column({ type: 'text', name: 'created_by', insert: false, update: false })
  readonly createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  readonly createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  readonly updatedAt!: Date;
}
