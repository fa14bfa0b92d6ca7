import { z } from 'zod';

const reasons = [
  'settings_changed',
  'node_removed',
  'node_changed',
  'way_in_changed',
  'way_out_changed',
  'body_changed',
] as const;

/** Body of a publication. */
export const publishBody = z
  .strictObject({
    waitingRuns: z
      .enum(['stay', 'migrate'])
      .default('stay')
      .describe(
        'Runs that wait keep the version they began with, or go on with the new one where what is recorded of them ' +
          'means the same in both.',
      ),
  })
  .default({ waitingRuns: 'stay' })
  .meta({ id: 'Publish' });

/** Body of a migration that goes on. */
export const migrateBody = z
  .strictObject({
    cursor: z.string().min(1).max(1_000).optional().describe('Goes on behind an earlier answer.'),
  })
  .default({})
  .meta({ id: 'MigrateWaitingRuns' });

export const migrationCursor = z.strictObject({ id: z.uuid() });

export const migratedView = z
  .object({
    migrated: z.int().describe('Runs that go on with this version.'),
    stayed: z
      .array(z.object({ reason: z.enum(reasons), count: z.int() }))
      .describe('Runs that keep the version they have, by what stands in the way.'),
    more: z
      .boolean()
      .describe('Whether there may be further runs: POST …/migrate-waiting-runs with the cursor.'),
    cursor: z.string().nullable(),
  })
  .meta({ id: 'MigratedRuns' });

export type Migrated = z.output<typeof migratedView>;
