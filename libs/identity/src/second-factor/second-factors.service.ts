import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Db,
  Keys,
  Mail,
  Random,
  RateLimiter,
  type RatePolicy,
  SecretBox,
  type Tx,
  type UserPrincipal,
} from '#platform';
import { identityErrors } from '../errors';
import { Sessions } from '../sessions/sessions.service';
import { UserTokens } from '../tokens/user-tokens.service';
import type { UserRow } from '../users/user.sql';
import { type CheckedPerson, PersonCheck } from './person-check.service';
import { isRecoveryCode, newRecoveryCodes, plainCode, recoveryCodeHash } from './recovery-codes';
import { disabledMail, enabledMail, recoveryCodeUsedMail } from './second-factor-mail';
import {
  beginSecondFactor,
  countRecoveryCodes,
  deleteRecoveryCodes,
  deleteSecondFactor,
  enableSecondFactor,
  findSecondFactor,
  insertRecoveryCodes,
  lockSecondFactor,
  takeRecoveryCode,
  takeStep,
} from './second-factor.sql';
import { newTotpSecret, otpauthUrlOf, stepOfCode } from './totp';

/** Six digits can be guessed, so guesses are counted: wherever a code is asked for, and for each person. */
const GUESSES: RatePolicy = { name: 'second-factor', limit: 5, windowSeconds: 15 * 60 };

/** What a code was that was taken. */
type TakenCode = 'app_code' | 'recovery_code';

/** What an authenticator app needs. The secret is shown this once. */
export interface BegunSecondFactor {
  readonly secret: string;
  readonly otpauthUrl: string;
}

/** Codes of an authenticator app (TOTP) that are asked for beside a password, and recovery codes for when it is lost. */
@Injectable()
export class SecondFactors {
  readonly #box: SecretBox;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly limiter: RateLimiter,
    private readonly sessions: Sessions,
    private readonly mail: Mail,
    private readonly tokens: UserTokens,
    private readonly persons: PersonCheck,
    keys: Keys,
  ) {
    this.#box = new SecretBox(keys.derive('second-factor'), random);
  }

  /** Makes a secret, which counts for nothing until a code of it was seen. Throws identity.second_factor_on. */
  async begin(user: UserPrincipal, password: string | undefined): Promise<BegunSecondFactor> {
    const checked = await this.persons.require(user, password);
    const secret = newTotpSecret(this.random);
    const sealed = this.#box.seal(secret, contextOf(user.userId));
    const { email } = await this.db.control(async (tx) => {
      const person = await this.persons.hold(tx, checked);
      const [begun] = await tx.query(beginSecondFactor, user.userId, sealed, this.clock.pinned());
      if (!begun) throw switchedOn();
      return person;
    });
    return { secret, otpauthUrl: otpauthUrlOf(secret, email) };
  }

  /**
   * Switches it on with the first code, and returns the recovery codes. Sessions that began without it end. Throws
   * identity.wrong_code, identity.second_factor_on, and identity.second_factor_off when nothing was begun.
   */
  async enable(user: UserPrincipal, code: string): Promise<readonly string[]> {
    const { userId } = user;
    const factor = await this.#find(userId);
    if (!factor) throw switchedOff('Begin with POST /v1/me/two-factor, which gives the secret.');
    if (factor.enabled) throw switchedOn();
    await this.limiter.require(GUESSES, userId);
    const step = stepOfCode(this.#open(userId, factor.secret), plainCode(code), this.clock.now());
    if (step === null) throw wrongCode();
    return this.db.control(async (tx) => {
      const person = await this.persons.hold(tx, { userId, passwordHash: null });
      const [enabled] = await tx.query(enableSecondFactor, userId, factor.secret, step, this.clock.pinned());
      if (!enabled) throw switchedOn();
      await this.sessions.endAll(tx, userId, user.sessionId);
      await this.mail.enqueue(tx, enabledMail(person));
      await this.limiter.restore(GUESSES, userId, tx);
      return this.#newCodes(tx, userId);
    });
  }

  async state(userId: string): Promise<{ readonly enabled: boolean; readonly recoveryCodesLeft: number }> {
    const factor = await this.#find(userId);
    const [codes] = await this.db.executeControl(countRecoveryCodes, userId);
    return { enabled: factor?.enabled ?? false, recoveryCodesLeft: codes?.count ?? 0 };
  }

  /** New recovery codes for a code; the old ones are worth nothing from now on. Throws identity.wrong_code. */
  async renewCodes(userId: string, code: string): Promise<readonly string[]> {
    return this.#withCode({ userId, passwordHash: null }, code, (tx) => this.#newCodes(tx, userId));
  }

  /** Switches it off, for a code and the password if there is one. Sign-ins that wait for a code wait for nothing. */
  async disable(
    user: UserPrincipal,
    given: { readonly code: string; readonly password?: string | undefined },
  ): Promise<void> {
    const checked = await this.persons.require(user, given.password);
    await this.#withCode(checked, given.code, async (tx, person) => {
      await tx.query(deleteSecondFactor, user.userId);
      await tx.query(deleteRecoveryCodes, user.userId);
      await this.tokens.withdraw(tx, user.userId, 'second_factor');
      await this.mail.enqueue(tx, disabledMail(person));
    });
  }

  /** Whether signing in asks for a code. */
  async isEnabled(tx: Tx, userId: string): Promise<boolean> {
    const [factor] = await tx.query(findSecondFactor, userId);
    return factor?.enabled ?? false;
  }

  /** Counts one guess of a person's code, before it is looked at. Throws request.too_many. */
  async countGuess(userId: string): Promise<void> {
    await this.limiter.require(GUESSES, userId);
  }

  /**
   * Takes a code of the app or a recovery code: each is good once, in every process, because the database takes it by a
   * guarded update. Null for a code that is wrong or was used. A right one gives all guesses back.
   */
  async take(tx: Tx, userId: string, code: string): Promise<TakenCode | null> {
    const taken = await this.#take(tx, userId, plainCode(code));
    if (taken !== null) await this.limiter.restore(GUESSES, userId, tx);
    return taken;
  }

  /** Mails that somebody has signed in without the authenticator app: its owner should hear of it, and of what is left. */
  async tellOfRecovery(tx: Tx, person: UserRow): Promise<void> {
    const [codes] = await tx.query(countRecoveryCodes, person.id);
    await this.mail.enqueue(tx, recoveryCodeUsedMail(person, codes?.count ?? 0));
  }

  async #take(tx: Tx, userId: string, code: string): Promise<TakenCode | null> {
    if (isRecoveryCode(code)) {
      const used = await tx.query(takeRecoveryCode, userId, recoveryCodeHash(code), this.clock.pinned());
      return used.length > 0 ? 'recovery_code' : null;
    }
    const [factor] = await tx.query(findSecondFactor, userId);
    if (!factor?.enabled) return null;
    const step = stepOfCode(this.#open(userId, factor.secret), code, this.clock.now());
    if (step === null) return null;
    const moved = await tx.query(takeStep, userId, factor.secret, step);
    return moved.length > 0 ? 'app_code' : null;
  }

  /** Does something that a code is asked for. Changes of one person's second factor take turns. */
  async #withCode<T>(
    checked: CheckedPerson,
    code: string,
    work: (tx: Tx, person: UserRow) => Promise<T>,
  ): Promise<T> {
    const { userId } = checked;
    await this.countGuess(userId);
    return this.db.control(async (tx) => {
      const person = await this.persons.hold(tx, checked);
      const [locked] = await tx.query(lockSecondFactor, userId);
      if (!locked) throw switchedOff('There is nothing to change.');
      if ((await this.take(tx, userId, code)) === null) throw wrongCode();
      return work(tx, person);
    });
  }

  async #newCodes(tx: Tx, userId: string): Promise<readonly string[]> {
    const codes = newRecoveryCodes(this.random);
    await tx.query(deleteRecoveryCodes, userId);
    await tx.query(insertRecoveryCodes, userId, codes.map(recoveryCodeHash));
    return codes;
  }

  async #find(userId: string) {
    const [factor] = await this.db.executeControl(findSecondFactor, userId);
    return factor ?? null;
  }

  #open(userId: string, secret: Buffer): string {
    return this.#box.open(secret, contextOf(userId));
  }
}

/** A sealed secret opens for its own person alone. */
function contextOf(userId: string): string {
  return `second-factor:${userId}`;
}

/** The 403 of a code that does not belong to the secret, was used before, or is no code at all. */
export function wrongCode(): AppError {
  return new AppError(identityErrors.wrong_code, {
    detail: 'The code is wrong, or was used already. Wait for the next one, or take a recovery code.',
    problems: [{ pointer: '/code', code: 'wrong', message: 'is wrong, or was used already' }],
  });
}

function switchedOn(): AppError {
  return new AppError(identityErrors.second_factor_on, {
    detail: 'Two-factor authentication is on already. Switch it off first to set it up anew.',
  });
}

function switchedOff(whatToDo: string): AppError {
  return new AppError(identityErrors.second_factor_off, {
    detail: `Two-factor authentication is off. ${whatToDo}`,
  });
}
