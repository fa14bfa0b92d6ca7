import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That a person accepted one version of the terms, and when. */
@Entity({ name: 'user_terms_acceptances' })
export class TermsAcceptanceEntity {
  @PrimaryColumn({ name: 'user_id', type: 'uuid' })
  readonly userId!: string;

  @PrimaryColumn({ type: 'text' })
  readonly version!: string;

  @Column({ name: 'accepted_at', type: 'timestamptz' })
  readonly acceptedAt!: Date;
}
