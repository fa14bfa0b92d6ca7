/** How a person is shown to the other members of a workspace. */
export interface MemberName {
  readonly name: string | null;
  readonly email: string;
}

/**
 * Port: who the people behind user ids are. Bound in the app's wiring. It takes no transaction, because the one of a
 * tenant must not see people: call it outside.
 */
export abstract class MemberNames {
  /** By user id. Somebody who no longer exists is missing. */
  abstract of(userIds: readonly string[]): Promise<ReadonlyMap<string, MemberName>>;
}
