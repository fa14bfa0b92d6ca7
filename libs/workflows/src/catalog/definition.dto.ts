import { z } from 'zod';
import { AppError, platformErrors, type Problem } from '#platform';
import { parseDraft } from '../definition/draft';
import { nodePolicies, settingsSchema } from '../definition/policies';
import type { WorkflowDefinition } from '../definition/schema';

/**
 * A definition as bodies carry it. The schema says nothing, because `parseDraft` says it better: with the codes and
 * sentences that validation has as well. GET /v1/workflow-schema has the shape.
 */
export const definitionBody = z
  .unknown()
  .describe('A workflow as a graph of nodes and edges; its JSON Schema is at /v1/workflow-schema.');

/** A definition as answers carry it, in the words of the API document. */
export const definitionView = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string(),
        type: z.string(),
        name: z.string().optional(),
        params: z.record(z.string(), z.unknown()),
        join: z.enum(['all', 'any']),
        parent: z.string().optional(),
        ...nodePolicies,
        position: z.object({ x: z.number(), y: z.number() }).optional(),
      }),
    ),
    edges: z.array(z.object({ from: z.string(), port: z.string(), to: z.string() })),
    settings: settingsSchema.optional(),
  })
  .meta({ id: 'WorkflowDefinition' });

export type DefinitionView = z.output<typeof definitionView>;

/** One thing that is wrong with a definition. */
const problemView = z.object({
  pointer: z.string(),
  code: z.string(),
  message: z.string(),
  line: z.int().optional().describe('In a text of several lines, from 1.'),
  column: z.int().optional(),
});

export const validateBody = z.strictObject({ definition: definitionBody }).meta({ id: 'ValidateWorkflow' });

export const validationView = z
  .object({ valid: z.boolean(), problems: z.array(problemView) })
  .meta({ id: 'WorkflowValidation' });

/** What validation says; pointers are into the body, as everywhere: `/definition/nodes/3/params/url`. */
export interface ValidationView {
  readonly valid: boolean;
  readonly problems: readonly Problem[];
}

/** A definition from a body, fit to be stored as a draft. Throws request.invalid with every fault of its shape. */
export function acceptedDraft(raw: unknown): WorkflowDefinition {
  const parsed = parseDraft(raw);
  if (parsed.ok) return parsed.definition;
  const problems = placedInBody(parsed.problems);
  throw new AppError(platformErrors.invalid, {
    detail: `The definition has not the shape of a workflow: ${problems[0]?.message ?? ''}`,
    problems,
  });
}

/** Problems of a definition, with pointers into the body that carries it as `definition`. */
export function placedInBody(problems: readonly Problem[]): readonly Problem[] {
  return problems.map((problem) => ({ ...problem, pointer: `/definition${problem.pointer}` }));
}
