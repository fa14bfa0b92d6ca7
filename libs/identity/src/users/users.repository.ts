import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { AppError, onViolation, type Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { identityErrors } from '../errors';
import { TermsAcceptanceEntity } from './terms-acceptance.entity';
import { UserEntity } from './user.entity';

/** A person about to be stored. */
export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly emailVerifiedAt: Date | null;
  readonly createdAt: Date;
}

/** Who accepted which version of the terms, and when. */
export interface TermsAcceptance {
  readonly userId: string;
  readonly version: string;
  readonly acceptedAt: Date;
}

/** Rows of people and of the terms they accepted. */
@Injectable()
export class UsersRepository {
  /** Throws identity.email_taken when the address has an account, in whatever letter case. */
  async insert(tx: Tx, user: NewUser): Promise<void> {
    await onViolation({ users_lower_email_key: () => emailTaken(user.email) }, () =>
      managerOf(tx).insert(UserEntity, { ...user, updatedAt: user.createdAt }),
    );
  }

  async acceptTerms(tx: Tx, acceptance: TermsAcceptance): Promise<void> {
    await managerOf(tx).insert(TermsAcceptanceEntity, { ...acceptance });
  }

  byId(tx: Tx, id: string): Promise<UserEntity | null> {
    return managerOf(tx).findOneBy(UserEntity, { id });
  }

  byIds(tx: Tx, ids: readonly string[]): Promise<UserEntity[]> {
    return managerOf(tx).findBy(UserEntity, { id: In([...ids]) });
  }
}

/**
 * Says openly that an address has an account. Whoever signs up has to be told, or would wait for a mail that never
 * comes; sign-in is where an account must not be betrayed.
 */
export function emailTaken(email: string): AppError {
  return new AppError(identityErrors.email_taken, {
    detail: `There is an account for ${email} already. Sign in instead.`,
    problems: [{ pointer: '/email', code: 'taken', message: 'has an account already' }],
  });
}
