/** An instant as a wall shows it that is so much ahead of UTC, in ISO 8601: `2026-03-02T14:00:00+01:00`. */
export function localText(ms: number, offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  // Offsets of whole minutes are as young as the twentieth century.
  if (seconds % 60 !== 0) parts.push(seconds % 60);
  const offset = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return `${wallText(ms + offsetMs)}${offsetMs < 0 ? '-' : '+'}${offset}`;
}

/** What a wall shows, with milliseconds where there are any: `2026-03-29T03:00:00`. */
export function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/(?:\.000)?Z$/, '');
}
