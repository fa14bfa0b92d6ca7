import { z } from 'zod';

/** What a workspace has used of its plan in the current period, [start, end). A null limit is none. */
export const usageView = z
  .object({
    plan: z.string(),
    period: z.object({ start: z.iso.datetime(), end: z.iso.datetime() }),
    runs: z.object({ used: z.int(), limit: z.int().nullable(), remaining: z.int().nullable() }),
  })
  .meta({ id: 'UsageView' });

export interface UsageView {
  readonly plan: string;
  readonly period: { readonly start: string; readonly end: string };
  readonly runs: { readonly used: number; readonly limit: number | null; readonly remaining: number | null };
}
