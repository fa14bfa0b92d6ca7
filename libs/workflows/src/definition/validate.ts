import type { NodeKindRegistry } from '../nodes/registry';
import { bodyProblems } from './check-bodies';
import { edgeProblems } from './check-edges';
import { nodeProblems } from './check-nodes';
import { policyProblems } from './check-policies';
import { referenceProblems } from './check-references';
import { secretProblems } from './check-secrets';
import { parseDraft, type ParsedDefinition } from './draft';
import { limited } from './problem';

export { parseDraft, type ParsedDefinition } from './draft';

/**
 * Whether a document may be published, and everything that is wrong with it. A document of the wrong shape has no
 * graph to speak of, so the graph is looked at once the shape is right. Never throws.
 */
export function validateDefinition(raw: unknown, kinds: NodeKindRegistry): ParsedDefinition {
  const parsed = parseDraft(raw);
  if (!parsed.ok) return parsed;
  const { definition } = parsed;
  const { problems: inNodes, references } = nodeProblems(definition, kinds);
  const problems = [
    ...inNodes,
    ...bodyProblems(definition, kinds),
    ...policyProblems(definition, kinds),
    ...edgeProblems(definition, kinds),
    ...referenceProblems(definition, references),
    ...secretProblems(definition, kinds),
  ];
  return problems.length === 0 ? parsed : { ok: false, problems: limited(problems) };
}
