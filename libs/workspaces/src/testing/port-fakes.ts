import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError, platformErrors, type Tx } from '#platform';
import {
  ActingKeys,
  type LostRole,
  MemberKeys,
  type MemberName,
  type MemberNames,
  People,
  type Person,
  type PurgeProgress,
  SeatPolicy,
  WorkspacePurge,
} from '../ports';

/** People who exist in the test alone, with and without proven addresses. */
@Injectable()
export class FakePeople extends People implements MemberNames {
  readonly #known = new Map<string, Person>();

  somebody({ email = `${randomUUID()}@example.com`, emailVerified = true } = {}): Person {
    const person = { id: randomUUID(), name: `Somebody called ${email}`, email, emailVerified };
    this.#known.set(person.id, person);
    return person;
  }

  /** Somebody's account goes. */
  forget({ id }: Person): void {
    this.#known.delete(id);
  }

  isVerified({ id }: Person): boolean {
    return this.#known.get(id)?.emailVerified ?? false;
  }

  async find(userId: string): Promise<Person | null> {
    return this.#known.get(userId) ?? null;
  }

  async idOf(email: string): Promise<string | null> {
    const wanted = email.toLowerCase();
    return [...this.#known.values()].find((person) => person.email.toLowerCase() === wanted)?.id ?? null;
  }

  async lock(_: Tx, userId: string): Promise<Person | null> {
    return this.find(userId);
  }

  async prove(tx: Tx, person: Person): Promise<void> {
    tx.afterCommit(() => this.#known.set(person.id, { ...person, emailVerified: true }));
  }

  async of(userIds: readonly string[]): Promise<ReadonlyMap<string, MemberName>> {
    return new Map(
      userIds.flatMap((id) => {
        const person = this.#known.get(id);
        return person ? [[id, person] as const] : [];
      }),
    );
  }
}

/** Plans called `seats_3` have so many seats, all others any number. */
@Injectable()
export class FakeSeats extends SeatPolicy {
  seatsOf(plan: string): number | null {
    const seats = /^seats_(\d+)$/.exec(plan)?.[1];
    return seats === undefined ? null : Number(seats);
  }

  refusal(plan: string): AppError {
    return new AppError(platformErrors.too_many, { detail: `No seat on ${plan}.`, meta: { limit: 'seats' } });
  }
}

/** Remembers what was revoked once it is committed. */
export class RecordedKeys extends MemberKeys {
  readonly lost: LostRole[] = [];

  async revokeBeyond(tx: Tx, lost: LostRole): Promise<void> {
    tx.afterCommit(() => this.lost.push(lost));
  }
}

/** Keys hold until a test revokes them. */
export class RevocableKeys extends ActingKeys {
  readonly revoked = new Set<string>();

  async holds(_tx: Tx, apiKeyId: string): Promise<boolean> {
    return !this.revoked.has(apiKeyId);
  }
}

/** Other libs keep nothing of a workspace. */
export class NothingElsewhere extends WorkspacePurge {
  async purge(): Promise<PurgeProgress> {
    return { rows: 0, done: true };
  }
}
