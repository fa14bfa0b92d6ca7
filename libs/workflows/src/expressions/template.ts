import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { pointerTo } from '../definition/pointer';
import { setMember } from './clean-json';
import { compileExpression, expressionError, type CompiledExpression } from './compile';
import { ExpressionError } from './expression-error';
import { needsJsonata } from './fast-path';
import { expressionLimits } from './limits';
import { scanTemplate, type TemplatePart } from './scan';
import type { ExpressionScope, StandInTexts } from './scope';

/** Params whose expressions have been parsed: made once per version, resolved once per run of the node. */
export interface CompiledTemplates {
  /** In the order of the document, which is the order in which they are evaluated. */
  readonly expressions: readonly CompiledExpression[];
  readonly root: Template;
}

/** The tree of the params. A constant stands for a whole subtree without expressions. */
type Template =
  | { readonly kind: 'constant'; readonly value: JsonValue }
  | { readonly kind: 'value'; readonly slot: number }
  | { readonly kind: 'text'; readonly pieces: readonly (string | number)[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Template])[] };

/**
 * Parses all expressions in the values of the params, never in keys, and never in the params that are named as
 * literal. Throws the first `ExpressionError`.
 */
export function compileTemplates(params: JsonValue, literal: readonly string[] = []): CompiledTemplates {
  const { templates, errors } = parseTemplates(params, literal);
  const [first] = errors;
  if (first !== undefined) throw first;
  return templates;
}

/** Like `compileTemplates`, but reports every error. With errors the templates must not be resolved. */
export function parseTemplates(
  params: JsonValue,
  literal: readonly string[] = [],
): {
  readonly templates: CompiledTemplates;
  readonly errors: readonly ExpressionError[];
} {
  const parsing: Parsing = {
    expressions: [],
    errors: [],
    literal: new Set(literal.map((name) => pointerTo(name))),
  };
  const root = template(params, '', parsing);
  return { templates: { expressions: parsing.expressions, root }, errors: parsing.errors };
}

/**
 * The params with every expression replaced by its value. Subtrees without expressions are shared, not copied.
 * Answers at once when no expression needs JSONata. Throws, or rejects with, the `ExpressionError` of the first
 * expression (in document order) that fails. `standIns` are seen only by expressions that name secrets.
 */
export function resolve(
  templates: CompiledTemplates,
  scope: ExpressionScope,
  standIns?: StandInTexts,
): JsonValue | Promise<JsonValue> {
  const { expressions, root } = templates;
  if (root.kind === 'constant') return root.value;
  const values: JsonValue[] = [];
  const withSecrets = standIns === undefined ? scope : { ...scope, secrets: standIns };
  for (const expression of expressions) {
    const seen = seenBy(expression, scope, withSecrets);
    const value = expression.fast === undefined ? needsJsonata : expression.fast(seen);
    // One after the other from here on: begun side by side, a second failure would be left unhandled.
    if (value === needsJsonata) return resolveSlowly(templates, { scope, withSecrets }, values);
    values.push(checked(expression, value));
  }
  return filled(root, templates, values);
}

/** An expression that takes the whole scope (`$string($)`) finds no secrets in it unless it names one. */
function seenBy(
  { secrets }: CompiledExpression,
  scope: ExpressionScope,
  withSecrets: ExpressionScope,
): ExpressionScope {
  return secrets.names.length === 0 ? scope : withSecrets;
}

async function resolveSlowly(
  templates: CompiledTemplates,
  { scope, withSecrets }: { readonly scope: ExpressionScope; readonly withSecrets: ExpressionScope },
  values: JsonValue[],
): Promise<JsonValue> {
  for (const expression of templates.expressions.slice(values.length)) {
    const seen = seenBy(expression, scope, withSecrets);
    const fast = expression.fast === undefined ? needsJsonata : expression.fast(seen);
    const value = fast === needsJsonata ? await expression.evaluate(seen) : fast;
    values.push(checked(expression, value));
  }
  return filled(templates.root, templates, values);
}

function checked({ place }: CompiledExpression, value: JsonValue | undefined): JsonValue {
  if (value === undefined) {
    const reason =
      'Check the names in it; if they may be missing, give a default, as in `{{ trigger.body.name ?? "" }}`.';
    throw expressionError(place, 'expression_undefined', { reason });
  }
  if (typeof value === 'string' && value.length > expressionLimits.stringLength) {
    const reason = `It gives a string of ${value.length} characters; ${expressionLimits.stringLength} are allowed.`;
    throw expressionError(place, 'expression_limit', { reason });
  }
  return value;
}

function filled(node: Template, templates: CompiledTemplates, values: readonly JsonValue[]): JsonValue {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'value':
      return values[node.slot] ?? null;
    case 'text':
      return interpolated(node.pieces, templates, values);
    case 'array':
      return node.items.map((item) => filled(item, templates, values));
    case 'object': {
      const object: { [key: string]: JsonValue } = {};
      for (const [key, member] of node.members) setMember(object, key, filled(member, templates, values));
      return object;
    }
  }
}

function interpolated(
  pieces: readonly (string | number)[],
  templates: CompiledTemplates,
  values: readonly JsonValue[],
): string {
  let text = '';
  for (const piece of pieces) {
    text += typeof piece === 'string' ? piece : asText(values[piece] ?? null);
    const expression = typeof piece === 'number' ? templates.expressions[piece] : undefined;
    if (expression === undefined || text.length <= expressionLimits.stringLength) continue;
    const reason = `It makes the text longer than ${expressionLimits.stringLength} characters.`;
    throw expressionError(expression.place, 'expression_limit', { reason });
  }
  return text;
}

function asText(value: JsonValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface Parsing {
  readonly expressions: CompiledExpression[];
  readonly errors: ExpressionError[];
  /** Pointers of the params that are not looked into. */
  readonly literal: ReadonlySet<string>;
}

function template(value: JsonValue, pointer: string, parsing: Parsing): Template {
  if (parsing.literal.has(pointer)) return { kind: 'constant', value };
  if (typeof value === 'string') return stringTemplate(value, pointer, parsing);
  if (isJsonArray(value)) {
    const items = value.map((item, i) => template(item, pointer + pointerTo(i), parsing));
    return items.every(isConstant)
      ? { kind: 'constant', value: shared(value, items) }
      : { kind: 'array', items };
  }
  if (isJsonObject(value)) return objectTemplate(value, pointer, parsing);
  return { kind: 'constant', value };
}

function objectTemplate(value: JsonObject, pointer: string, parsing: Parsing): Template {
  const members = Object.entries(value).map(
    ([key, member]) => [key, template(member, pointer + pointerTo(key), parsing)] as const,
  );
  if (!members.every(([, member]) => isConstant(member))) return { kind: 'object', members };
  const isUntouched = members.every(([key, member]) => isConstant(member) && member.value === value[key]);
  return isUntouched ? { kind: 'constant', value } : { kind: 'constant', value: rebuilt(members) };
}

type Constant = Extract<Template, { kind: 'constant' }>;

function isConstant(node: Template): node is Constant {
  return node.kind === 'constant';
}

/** The array itself, unless an escaped `\{{` in it made a new string. */
function shared(original: readonly JsonValue[], items: readonly Constant[]): JsonValue {
  return items.every(({ value }, i) => value === original[i]) ? original : items.map(({ value }) => value);
}

function rebuilt(members: readonly (readonly [string, Template])[]): JsonValue {
  const object: { [key: string]: JsonValue } = {};
  for (const [key, member] of members) if (isConstant(member)) setMember(object, key, member.value);
  return object;
}

function stringTemplate(text: string, pointer: string, parsing: Parsing): Template {
  const scan = scanTemplate(text);
  if (!scan.ok) {
    const place = { source: text.slice(scan.position + 2), start: scan.position, pointer };
    parsing.errors.push(expressionError(place, 'expression_syntax', { reason: scan.message, position: 0 }));
    return { kind: 'constant', value: text };
  }
  const [only, ...more] = scan.parts;
  if (only === undefined) return { kind: 'constant', value: '' };
  if (more.length > 0)
    return { kind: 'text', pieces: scan.parts.map((part) => piece(part, pointer, parsing)) };
  if (only.kind === 'text') return { kind: 'constant', value: only.text };
  const slot = piece(only, pointer, parsing);
  return typeof slot === 'number' ? { kind: 'value', slot } : { kind: 'constant', value: slot };
}

/** Text stays as it is; an expression becomes the number of its slot. */
function piece(part: TemplatePart, pointer: string, parsing: Parsing): string | number {
  if (part.kind === 'text') return part.text;
  try {
    const compiled = compileExpression({ source: part.source, start: part.start, pointer });
    return parsing.expressions.push(compiled) - 1;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    parsing.errors.push(error);
    return '';
  }
}
