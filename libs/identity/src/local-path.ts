import { z } from 'zod';

/** Resolving against it shows whether a text stays where it is. The name can belong to nobody (RFC 2606). */
const HERE = 'http://here.invalid';
const MAX_CHARS = 500;

/**
 * A path within this site, as browsers would read it; null for everything that could lead elsewhere: other schemes,
 * `//host`, and what becomes that once backslashes, tabs and dots are resolved.
 */
export function localPathOf(text: string): string | null {
  if (!text.startsWith('/') || text.length > MAX_CHARS || !URL.canParse(text, HERE)) return null;
  const { origin, pathname, search, hash } = new URL(text, HERE);
  return origin === HERE && !pathname.startsWith('//') ? `${pathname}${search}${hash}` : null;
}

/** Where to go afterwards: nowhere but within this site. */
export const localPath = z.string().transform((text, context) => {
  const path = localPathOf(text);
  if (path !== null) return path;
  context.addIssue({ code: 'custom', message: 'must be a path of this site, like /dashboard' });
  return z.NEVER;
});
