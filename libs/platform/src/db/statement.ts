/**
 * A named SQL statement: prepared once per connection under its name, reviewed as a text, plan-tested by its name.
 * Parameters are positional and cast in the text; rows come back aliased to camelCase.
 */
export interface Statement<P extends readonly unknown[], R> {
  readonly name: string;
  readonly text: string;
  /** Phantom members: they only carry the types of parameters and rows. */
  readonly params?: P;
  readonly row?: R;
}

const named = new Map<string, string>();

/** Makes a frozen statement. Two texts under one name are refused: a connection would run the wrong one. */
export function statement<P extends readonly unknown[], R = never>(
  name: string,
  text: string,
): Statement<P, R> {
  const known = named.get(name);
  if (known !== undefined && known !== text) throw new Error(`Two statements are named "${name}".`);
  named.set(name, text);
  return Object.freeze({ name, text });
}

/** Every statement made so far, by name: for tests that look at all of them. */
export function knownStatements(): ReadonlyMap<string, string> {
  return named;
}
