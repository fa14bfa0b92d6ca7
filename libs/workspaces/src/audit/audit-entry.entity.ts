import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One line of the audit log as it is read; the one statement of the writer appends it. */
@Entity('workspace_audit_log')
export class AuditEntryEntity {
  @PrimaryColumn('uuid')
  readonly id!: string;

  @Column({ type: 'uuid', name: 'workspace_id', insert: false, update: false })
  readonly workspaceId!: string;

  @Column({ type: 'text', name: 'actor_kind', insert: false, update: false })
  readonly actorKind!: string;

  @Column({ type: 'uuid', name: 'actor_id', nullable: true, insert: false, update: false })
  readonly actorId!: string | null;

  @Column({ type: 'text', insert: false, update: false })
  readonly action!: string;

  @Column({ type: 'text', name: 'target_kind', insert: false, update: false })
  readonly targetKind!: string;

  @Column({ type: 'text', name: 'target_id', insert: false, update: false })
  readonly targetId!: string;

  @Column({ type: 'jsonb', nullable: true, insert: false, update: false })
  readonly before!: Readonly<Record<string, unknown>> | null;

  @Column({ type: 'jsonb', nullable: true, insert: false, update: false })
  readonly after!: Readonly<Record<string, unknown>> | null;

  @Column({ type: 'text', nullable: true, insert: false, update: false })
  readonly reason!: string | null;

  @Column({ type: 'inet', nullable: true, insert: false, update: false })
  readonly ip!: string | null;

  @Column({ type: 'text', name: 'user_agent', nullable: true, insert: false, update: false })
  readonly userAgent!: string | null;

  @Column({ type: 'timestamptz', insert: false, update: false })
  readonly at!: Date;
}
