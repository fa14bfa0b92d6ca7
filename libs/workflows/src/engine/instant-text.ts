let lastMs = NaN;
let lastText = '';

/**
 * An instant as ISO 8601 text. What happens to many runs in one turn of the event loop mostly happens in the same
 * millisecond, and formatting a date costs more than everything else about an event: the last one is remembered.
 */
export function instantText(at: Date): string {
  const ms = at.getTime();
  if (ms !== lastMs) {
    lastText = at.toISOString();
    lastMs = ms;
  }
  return lastText;
}
