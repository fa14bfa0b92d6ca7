import type { Config } from './config';

/** The base URL people reach this installation by, without a slash at its end. */
export function publicUrlOf({ values }: Config): string {
  return values.publicUrl ?? `http://localhost:${values.port}`;
}
