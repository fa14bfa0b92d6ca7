import { z } from 'zod';
import { runStatuses } from '../runs/run-state';
import { reasons } from './explain';

const pending = z
  .object({
    nodeId: z.string(),
    iteration: z.string(),
    sentence: z.string(),
    since: z.iso.datetime(),
    until: z.iso.datetime().nullable(),
  })
  .meta({ id: 'PendingNode' });

export const explanationView = z
  .object({
    status: z.enum(runStatuses),
    reason: z.enum(reasons).describe('The same in a word, for programs.'),
    sentence: z.string().describe('Why the run does not go on, and what would move it.'),
    since: z.iso.datetime().nullable(),
    until: z.iso.datetime().nullable().describe('When it changes by itself at the latest.'),
    what: z.array(pending).readonly().describe('The nodes that it is about.'),
  })
  .meta({ id: 'Explanation' });
