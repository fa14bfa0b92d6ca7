import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key with which a program acts in one workspace. The key itself is not here: only its hash. */
@Entity({ name: 'api_keys' })
export class ApiKeyEntity {
  @PrimaryColumn({ type: 'uuid' })
  readonly id!: string;

  @Column({ name: 'workspace_id', type: 'uuid' })
  readonly workspaceId!: string;

  @Column({ type: 'text' })
  readonly name!: string;

  /** The public part of the key, by which it is found and recognised. */
  @Column({ type: 'text' })
  readonly prefix!: string;

  /** SHA-256 of the whole key. */
  @Column({ type: 'bytea', select: false })
  readonly hash!: Buffer;

  @Column({ type: 'text' })
  readonly role!: string;

  /** Permissions it may use of those its role has; null for all of them. */
  @Column({ type: 'text', array: true, nullable: true })
  readonly scopes!: string[] | null;

  /** Null once its creator's account is gone. */
  @Column({ name: 'created_by', type: 'uuid', nullable: true })
  readonly createdBy!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  readonly createdAt!: Date;

  /** Null for a key that does not expire. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  readonly expiresAt!: Date | null;

  /** To the minute. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  readonly lastUsedAt!: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  readonly revokedAt!: Date | null;
}
