import { z } from 'zod';
import { settingPairs, settings } from './settings';

type Settings = typeof settings;

/** The parsed configuration: frozen, one field per setting. */
export type ConfigValues = { readonly [K in keyof Settings]: z.output<Settings[K]['schema']> };

/** Injection token and type of the configuration in one. */
export abstract class Config {
  abstract readonly values: ConfigValues;
}

/** Thrown at boot: names every wrong variable, what it holds and what it must hold. Secrets are not repeated. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const SENSITIVE = /KEY|URL|TOKEN|PASSWORD|SECRET/;

function complaint(
  env: string,
  given: string | undefined,
  issues: readonly { readonly message: string }[],
): string {
  const reason = issues.map((issue) => issue.message).join('; ');
  const shown =
    given === undefined ? 'is missing' : SENSITIVE.test(env) ? 'has a wrong value' : `is "${given}"`;
  return `${env} ${shown}: ${reason}`;
}

function missing(field: keyof Settings, given: keyof Settings): string {
  return `${settings[field].env} is missing: it has to be set when ${settings[given].env} is`;
}

/** Parses an environment once. Throws ConfigError naming each wrong variable. Unset and empty mean the same. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const wrong: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, { env, schema }] of Object.entries(settings)) {
    const given = environment[env] === '' ? undefined : environment[env];
    const parsed = schema.safeParse(given);
    if (parsed.success) values[field] = parsed.data;
    else wrong.push(complaint(env, given, parsed.error.issues));
  }
  for (const [one, other] of settingPairs) {
    if (values[one] === null && values[other] !== null) wrong.push(missing(one, other));
    if (values[other] === null && values[one] !== null) wrong.push(missing(other, one));
  }
  if (wrong.length > 0) throw new ConfigError(`Wrong configuration:\n  ${wrong.join('\n  ')}`);
  return Object.freeze({ values: Object.freeze(values) as unknown as ConfigValues });
}
