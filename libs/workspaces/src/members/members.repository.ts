import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { MemberEntity } from './member.entity';

/** Where a page of members begins and how many it has; of one role, or of all. */
export interface MembersAfter {
  readonly role?: string | undefined;
  readonly afterUserId: string | null;
  readonly limit: number;
}

/** Reads memberships. */
@Injectable()
export class MembersRepository {
  /** Members in the order of their user ids. */
  list(tx: Tx, workspaceId: string, { role, afterUserId, limit }: MembersAfter): Promise<MemberEntity[]> {
    return managerOf(tx).find(MemberEntity, {
      where: {
        workspaceId,
        ...(role === undefined ? {} : { role }),
        ...(afterUserId === null ? {} : { userId: MoreThan(afterUserId) }),
      },
      order: { userId: 'ASC' },
      take: limit,
    });
  }
}
