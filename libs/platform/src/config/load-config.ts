import { type Config, parseConfig } from './config';

/** Parses the environment of this process. For the first lines of a program, and for them alone. Throws ConfigError. */
export function loadConfig(): Config {
  return parseConfig(process.env);
}
