import type { JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { setMember } from '../expressions/clean-json';
import type { StandInTexts } from '../expressions/scope';

/**
 * What stands for secrets in the params of one execution. Each holds a number of 128 random bits that was drawn for this
 * execution and is told nobody, so that no text from outside can be one; and characters that JSON, URLs and HTML escape,
 * so that one which was encoded is noticed instead of being sent.
 */
export class StandIns {
  readonly texts: StandInTexts;
  readonly #pattern: RegExp;

  constructor(
    names: readonly string[],
    private readonly nonce: string,
  ) {
    this.texts = Object.fromEntries(names.map((name) => [name, `<secret "${nonce}" ${name}>`]));
    this.#pattern = new RegExp(`<secret "${nonce}" ([A-Z0-9_]+)>`, 'g');
  }

  /** False when something is left of a stand-in beside whole ones in those params that may hold secrets. */
  areWholeIn(params: JsonValue, allowed: readonly string[]): boolean {
    if (!isJsonObject(params)) return !JSON.stringify(params).includes(this.nonce);
    const elsewhere = Object.entries(params).map(([name, value]) =>
      allowed.includes(name) ? changed(value, (text) => text.replace(this.#pattern, '')) : value,
    );
    return !JSON.stringify([Object.keys(params), elsewhere]).includes(this.nonce);
  }

  /** The params with the values in place. */
  revealed(params: JsonValue, values: ReadonlyMap<string, string>): JsonValue {
    return changed(params, (text) =>
      text.replace(this.#pattern, (all, name: string) => values.get(name) ?? all),
    );
  }

  /** The params as they may be shown: references stand where the values will be. */
  shown(params: JsonValue): JsonValue {
    return changed(params, (text) => text.replace(this.#pattern, (_, name: string) => `{{secrets.${name}}}`));
  }
}

/** The value with every text in it changed; names of members stay, because no secret may be one. */
function changed(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (isJsonArray(value)) return value.map((item) => changed(item, change));
  if (!isJsonObject(value)) return value;
  const result: { [key: string]: JsonValue } = {};
  for (const [key, member] of Object.entries(value)) setMember(result, key, changed(member, change));
  return result;
}
