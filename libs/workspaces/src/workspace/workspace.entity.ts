import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/**
 * A workspace as administration reads and renames it. Only `name` is written through here: a workspace is created by
 * a statement, and what is not listed has no reader yet.
 */
@Entity('workspaces')
export class WorkspaceEntity {
  @PrimaryColumn('uuid')
  readonly id!: string;

  @Column('text')
  name!: string;

  @Column({ type: 'text', insert: false, update: false })
  readonly slug!: string;

  @Column({ type: 'text', insert: false, update: false })
  readonly plan!: string;

  @Column({ type: 'uuid', name: 'created_by', insert: false, update: false })
  readonly createdBy!: string;

  @Column({ type: 'uuid', name: 'owner_id', insert: false, update: false })
  readonly ownerId!: string;

  @Column({ type: 'timestamptz', name: 'deleted_at', nullable: true, insert: false, update: false })
  readonly deletedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  readonly createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  readonly updatedAt!: Date;
}
