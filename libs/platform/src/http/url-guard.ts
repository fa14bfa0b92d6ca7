import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

/** Throws request.invalid for a request target whose percent-encoding is broken, or that hides a NUL character. */
export function checkUrl(url: string): void {
  // Almost no URL has an escape, and without one there is nothing to decode.
  if (!url.includes('%')) return;
  const [path = '', query = ''] = url.split('?', 2);
  checkPart(path, 'path');
  for (const pair of query.split('&')) checkPart(pair, `?${nameOf(pair)}`);
}

function checkPart(text: string, pointer: string): void {
  const decoded = decode(text);
  if (decoded === null) {
    throw refused(pointer, 'percent_encoding', `The percent-encoding at ${pointer} is not valid UTF-8.`);
  }
  if (decoded.includes('\0')) {
    throw refused(pointer, 'nul', `The value at ${pointer} holds a NUL character (%00); remove it.`);
  }
}

function nameOf(pair: string): string {
  const [name = ''] = pair.split('=', 1);
  return decode(name) ?? name;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function refused(pointer: string, code: string, message: string): AppError {
  return new AppError(platformErrors.invalid, { detail: message, problems: [{ pointer, code, message }] });
}
