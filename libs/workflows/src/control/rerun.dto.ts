import { z } from 'zod';

/** Which version a further run has. */
export const versionChoice = z
  .enum(['same', 'published'])
  .default('same')
  .describe('The version of the earlier run, or the one that is published now.');

/** Body of a rerun. */
export const rerunBody = z
  .strictObject({
    from: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe(
        'Id of the node to begin at. Results of all nodes that do not come behind it are taken over, so their effects ' +
          'do not happen again. Without it the whole run is done again.',
      ),
    version: versionChoice,
  })
  .refine(({ from, version }) => from === undefined || version === 'same', {
    path: ['version'],
    error: 'must be "same" together with "from": results belong to the version that gave them',
  })
  .default({ version: 'same' })
  .meta({ id: 'Rerun' });

export type Rerun = z.output<typeof rerunBody>;
export type VersionChoice = z.output<typeof versionChoice>;
