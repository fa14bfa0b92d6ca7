import { z } from 'zod';
import { SECRET_NAME } from '../expressions/secret-use';
import type { SecretRow, SecretUser } from './secret.sql';
import { MAX_SECRET_CHARS, MIN_SECRET_CHARS } from './spellings';

export const secretNameParam = z
  .string()
  .regex(SECRET_NAME, {
    error: 'must begin with a capital letter and have up to 64 capitals, digits and underscores',
  })
  .describe('As expressions write it: `{{ secrets.API_KEY }}` for API_KEY.');

export const secretBody = z
  .strictObject({
    value: z
      .string()
      .min(
        MIN_SECRET_CHARS,
        `A secret has at least ${MIN_SECRET_CHARS} characters: shorter ones could not be masked.`,
      )
      .max(MAX_SECRET_CHARS, `A secret has at most ${MAX_SECRET_CHARS} characters.`)
      .refine((value) => value.isWellFormed(), 'A secret has no half of a surrogate pair.')
      .refine(
        isVaried,
        'A secret has at least four different characters: others could not be told from ordinary text.',
      )
      .describe('Never given back by any answer.'),
    description: z
      .string()
      .trim()
      .max(500)
      .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'A description is one line of text.')
      .optional()
      .describe('What it is for. Without it the one there is stays.'),
  })
  .meta({ id: 'SecretValue' });

export const deletionQuery = z.strictObject({
  force: z
    .stringbool()
    .default(false)
    .describe('Deletes it although published workflows use it. Their nodes that need it fail from then on.'),
});

export const secretView = z
  .object({
    name: z.string(),
    description: z.string(),
    revision: z.int().describe('The ETag: one more with each value.'),
    createdBy: z.string().describe('`user:<id>` or `api_key:<id>`. The secret stays when they leave.'),
    createdAt: z.iso.datetime(),
    updatedBy: z.string(),
    updatedAt: z.iso.datetime(),
    usedBy: z
      .array(z.object({ id: z.uuid(), name: z.string() }))
      .describe('Workflows whose published version names it.'),
  })
  .meta({ id: 'Secret' });

export const secretsView = z.object({ data: z.array(secretView) }).meta({ id: 'Secrets' });

/** A secret as people see it. */
export type SecretView = z.output<typeof secretView>;

export function toSecretView(
  { createdAt, updatedAt, id: _, ...row }: SecretRow,
  users: readonly SecretUser[],
): SecretView {
  return {
    ...row,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    usedBy: users
      .filter(({ secretNames }) => secretNames.includes(row.name))
      .map(({ id, name }) => ({ id, name })),
  };
}

function isVaried(value: string): boolean {
  return new Set(value).size >= 4;
}
