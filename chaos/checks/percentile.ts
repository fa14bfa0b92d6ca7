/** The value that so large a share of the values does not exceed (nearest rank); null of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** `p50 1.2 s, p99 3.4 s (57)` of milliseconds. */
export function spread(valuesMs: readonly number[]): string {
  if (valuesMs.length === 0) return 'none seen';
  const seconds = (share: number) => ((percentile(valuesMs, share) ?? 0) / 1000).toFixed(2);
  return `p50 ${seconds(0.5)} s, p99 ${seconds(0.99)} s, most ${seconds(1)} s (${valuesMs.length} seen)`;
}
