import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A membership as the member list reads it; statements write it. */
@Entity('workspace_members')
export class MemberEntity {
  @PrimaryColumn('uuid', { name: 'workspace_id' })
  readonly workspaceId!: string;

  @PrimaryColumn('uuid', { name: 'user_id' })
  readonly userId!: string;

  @Column({ type: 'text', insert: false, update: false })
  readonly role!: string;

  @Column({ type: 'timestamptz', name: 'joined_at', insert: false, update: false })
  readonly joinedAt!: Date;
}
