import type { JsonValue } from '../json';

/** A value of which parts may depend on what completed first. */
export type Expected = JsonValue | OneOf | readonly Expected[] | { readonly [key: string]: Expected };

/** Any of these, and nothing else. */
export class OneOf {
  constructor(readonly options: readonly Expected[]) {}
}

/** Whether a value is one of those that are expected. */
export function agrees(actual: JsonValue | undefined, expected: Expected): boolean {
  if (expected instanceof OneOf) return expected.options.some((option) => agrees(actual, option));
  if (actual === undefined || typeof expected !== 'object' || expected === null) return actual === expected;
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual) !== Array.isArray(expected)) {
    return false;
  }
  const [found, wanted] = [Object.entries(actual), new Map(Object.entries(expected))];
  return (
    found.length === wanted.size &&
    found.every(([key, value]) => wanted.has(key) && agrees(value, wanted.get(key) ?? null))
  );
}
