import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, type Page, pageOf, platformErrors } from '#platform';
import { MemberNames, People } from '../ports';
import { listInvitationsTo } from './invitation.sql';
import { unverified } from './invitation-refusals';
import { type MyInvitation, toMyInvitation } from './offers.dto';

/** The invitations that wait for a person. */
@Injectable()
export class MyInvitations {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly names: MemberNames,
  ) {}

  /**
   * Open invitations to the person's address, newest first. Whoever has not proven it could claim anyone's, so they
   * are told to do that first: throws workspace.email_unverified.
   */
  async list(
    userId: string,
    { beforeId, limit }: { readonly beforeId: string | null; readonly limit: number },
  ): Promise<Page<MyInvitation>> {
    const person = await this.people.find(userId);
    if (!person)
      throw new AppError(platformErrors.unauthenticated, { detail: 'This account does not exist any more.' });
    if (!person.emailVerified) throw unverified(person);
    const now = this.clock.pinned();
    const rows = await this.db.executeControl(listInvitationsTo, person.email, beforeId, limit + 1, now);
    const found = pageOf(rows, limit, ({ id }) => ({ id }));
    const inviters = found.data.flatMap(({ invitedBy }) => (invitedBy === null ? [] : [invitedBy]));
    const names = await this.names.of([...new Set(inviters)]);
    return {
      ...found,
      data: found.data.map((row) => toMyInvitation(row, names.get(row.invitedBy ?? '')?.name ?? null)),
    };
  }
}
