/** What can be wrong with a definition. The codes are stable; editors and API clients switch on them. */
export type ProblemCode =
  /** The document itself: not JSON, too large, too deep, or text that PostgreSQL can not store. */
  | 'not_json'
  | 'document_too_large'
  | 'document_too_deep'
  | 'too_many_nodes'
  | 'too_many_edges'
  | 'invalid_text'
  /** A member is missing, unknown, or of the wrong type. */
  | 'invalid_shape'
  | 'duplicate_node_id'
  | 'unknown_node_type'
  | 'invalid_params'
  | 'expression_syntax'
  /** A program in the params can not be parsed. */
  | 'code_syntax'
  | 'unknown_node_reference'
  | 'reference_not_upstream'
  | 'loop_reference_outside'
  | 'dangling_edge'
  | 'unknown_port'
  | 'duplicate_edge'
  | 'self_loop'
  | 'edge_into_trigger'
  | 'cycle'
  | 'unreachable_node'
  | 'no_trigger'
  /** Loops and their bodies. */
  | 'unknown_parent'
  | 'parent_cycle'
  | 'nested_too_deep'
  | 'empty_body'
  | 'trigger_in_body'
  | 'edge_across_bodies'
  | 'unknown_collect'
  /** Secrets. */
  | 'secret_not_allowed'
  | 'secret_not_whole'
  | 'too_many_secrets'
  /** What a node or the workflow says beside params. */
  | 'policy_conflict'
  /** There are more problems than are reported. */
  | 'more_problems';

/** One thing that is wrong with a definition. */
export interface Problem {
  readonly code: ProblemCode;
  /** RFC 6901, from the root of the definition: `/nodes/3/params/url`. */
  readonly pointer: string;
  /** A sentence: what is wrong, with which value, and what to do. */
  readonly message: string;
  /** Where in a text of several lines, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** More than anybody reads; a hostile document has one for every few bytes. */
const longestList = 500;

export function limited(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= longestList) return problems;
  const message = `There are ${problems.length - longestList} more problems. Solve these first.`;
  return [...problems.slice(0, longestList), { code: 'more_problems', pointer: '', message }];
}
