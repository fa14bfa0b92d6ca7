import type { JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';

/** Told of each piece of work: how many steps it is. */
export type Spend = (steps: number) => void;

/** Of each value and each member: to sort and write them takes as long as this many rules. */
const STEPS = 8;

/** A text that two JSON values share exactly when they are equal: members sorted, numbers in their one form. */
export function canonical(value: JsonValue, spend: Spend): string {
  if (isJsonArray(value)) {
    spend(STEPS);
    return `[${value.map((item) => canonical(item, spend)).join(',')}]`;
  }
  if (isJsonObject(value)) {
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    spend(STEPS * (1 + members.length));
    const texts = members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member, spend)}`);
    return `{${texts.join(',')}}`;
  }
  spend(typeof value === 'string' ? STEPS + value.length / 32 : STEPS);
  return JSON.stringify(value);
}
