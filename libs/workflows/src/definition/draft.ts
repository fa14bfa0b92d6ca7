import type { z } from 'zod';
import { documentProblems } from './document';
import { pointerTo } from './pointer';
import { limited, type Problem } from './problem';
import { definitionSchema, type WorkflowDefinition } from './schema';

export type ParsedDefinition =
  | { readonly ok: true; readonly definition: WorkflowDefinition }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * A document of the right shape, with defaults filled in, which is all that saving a draft asks for: its graph may
 * still be in pieces. Never throws.
 */
export function parseDraft(raw: unknown): ParsedDefinition {
  const problems = documentProblems(raw);
  if (problems.length > 0) return { ok: false, problems: limited(problems) };
  const parsed = definitionSchema.safeParse(raw);
  if (parsed.success) return { ok: true, definition: parsed.data };
  return { ok: false, problems: limited(issueProblems(parsed.error.issues, 'invalid_shape', '')) };
}

/** The issues of a zod schema as problems, behind the pointer of what was parsed. */
export function issueProblems(
  issues: readonly z.core.$ZodIssue[],
  code: 'invalid_shape' | 'invalid_params',
  pointer: string,
): readonly Problem[] {
  return issues.flatMap((issue) => {
    const at = pointer + pointerTo(...issue.path);
    if (issue.code !== 'unrecognized_keys') return [{ code, pointer: at, message: sentence(issue) }];
    return issue.keys.map((key) => {
      const message = `There is no member \`${key.slice(0, 80)}\` here. Remove it, or check its name.`;
      return { code, pointer: at + pointerTo(key), message };
    });
  });
}

/** Messages of our own schemas go on from "This"; those of zod are sentences without a full stop. */
function sentence({ message }: z.core.$ZodIssue): string {
  return /^(must|is) /.test(message) ? `This ${message}.` : `${message.replace(/\.$/, '')}.`;
}
