import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A person with an account. */
@Entity({ name: 'users' })
export class UserEntity {
  @PrimaryColumn({ type: 'uuid' })
  readonly id!: string;

  /** As it was typed; compared in lower case. */
  @Column({ type: 'text' })
  readonly email!: string;

  @Column({ type: 'text' })
  readonly name!: string;

  /** Argon2id in PHC form; null for people who have no password here. */
  @Column({ name: 'password_hash', type: 'text', nullable: true })
  readonly passwordHash!: string | null;

  @Column({ name: 'email_verified_at', type: 'timestamptz', nullable: true })
  readonly emailVerifiedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  readonly createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  readonly updatedAt!: Date;
}
