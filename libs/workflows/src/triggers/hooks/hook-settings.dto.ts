import { z } from 'zod';
import { secretKinds } from './hook-secrets.sql';

export const hookIdParam = z.uuid().describe('Id of the webhook.');
export const secretKindParam = z.enum(secretKinds);

const secretView = z
  .object({
    kind: secretKindParam,
    setAt: z.iso.datetime(),
    setBy: z.string(),
    previousUntil: z.iso.datetime().nullable().describe('Until then the one before holds as well.'),
  })
  .meta({ id: 'HookSecret' });

const hookView = z
  .object({
    id: z.uuid(),
    nodeId: z.string(),
    url: z.url().describe('A secret: whoever knows it can call.'),
    previousUrlUntil: z.iso.datetime().nullable().describe('Until then the address before works as well.'),
    settings: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        'Params of the node, as published; null when it is not published, so that calls are not taken.',
      ),
    secrets: z.array(secretView).readonly().describe('Never their values.'),
  })
  .meta({ id: 'Hook' });

/** All of a workflow: it has some tens of nodes. */
export const hooksView = z.object({ data: z.array(hookView).readonly() }).meta({ id: 'Hooks' });

/** Longer than anybody takes to change a setting elsewhere. */
const overlapSeconds = z
  .int()
  .min(0)
  .max(30 * 86_400)
  .default(86_400)
  .describe('For how long what is replaced still works; 0 ends it at once.');

export const rotateBody = z
  .strictObject({ overlapSeconds })
  .default({ overlapSeconds: 86_400 })
  .meta({ id: 'RotateHookToken' });

export const rotatedToken = z
  .object({ url: z.url(), previousUrlUntil: z.iso.datetime().nullable() })
  .meta({ id: 'RotatedHookToken' });

export const secretBody = z
  .strictObject({
    value: z
      .string()
      .min(8)
      .max(500)
      .regex(/^[\x21-\x7e]+$/, { error: 'must be of visible ASCII characters' })
      .optional()
      .describe('What the sender gave you; left out, one is made and shown once.'),
    overlapSeconds,
  })
  .default({ overlapSeconds: 86_400 })
  .meta({ id: 'SetHookSecret' });

export const setSecretView = secretView
  .extend({ value: z.string().optional().describe('Only when it was made here: it is not shown again.') })
  .meta({ id: 'SetHookSecretResult' });

export type HookView = z.output<typeof hookView>;
export type SecretView = z.output<typeof secretView>;
export type RotatedToken = z.output<typeof rotatedToken>;
export type SetSecret = z.output<typeof setSecretView>;
