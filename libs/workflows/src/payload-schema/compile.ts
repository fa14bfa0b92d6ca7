import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { pointerTo } from '../definition/pointer';
import { described } from '../nodes/param-schemas';
import { payloadSchemaLimits } from './limits';
import { Pattern } from './pattern';
import { type Finding, type Rule, SchemaNode } from './run';
import { schemaRules } from './schema-rules';
import { membersAt, shapes, textAt, unknownKeyword } from './shapes';
import { valueRules } from './value-rules';

/** A schema that can be asked, or everything that is wrong with it. */
export type CompiledSchema =
  | { readonly ok: true; readonly root: SchemaNode }
  | { readonly ok: false; readonly problems: readonly Finding[] };

const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** Compiles a schema into rules. No code is made of it: names and values of a customer stay data. Never throws. */
export function compileSchema(schema: JsonValue): CompiledSchema {
  const size = sizeProblem(schema);
  if (size !== null) return { ok: false, problems: [size] };
  const compiler = new Compiler();
  const root = compiler.root(schema);
  const problems = compiler.problems.slice(0, payloadSchemaLimits.findings);
  return problems.length === 0 ? { ok: true, root } : { ok: false, problems };
}

class Compiler {
  readonly problems: Finding[] = [];
  private readonly nodes = new Map<string, SchemaNode>();
  private readonly references: { readonly node: SchemaNode; readonly to: string; target?: SchemaNode }[] = [];
  private instructions = 0;

  root(schema: JsonValue): SchemaNode {
    // `$schema` says what a whole document is written in, so it stands at the top alone.
    const { $schema, ...rest } = isJsonObject(schema) ? schema : {};
    if ($schema !== undefined && $schema !== dialect)
      this.report('/$schema', `must be ${dialect}, which is the draft that is understood here`);
    const root = this.node(isJsonObject(schema) ? rest : schema, '');
    this.link();
    return root;
  }

  node(schema: JsonValue, pointer: string): SchemaNode {
    const node = new SchemaNode(pointer);
    this.nodes.set(pointer, node);
    if (this.nodes.size > payloadSchemaLimits.subschemas) return this.tooMany(node);
    if (schema === true) return node;
    if (schema === false) node.rules = [(_, run) => run.fail(() => 'is not allowed here')];
    else if (isJsonObject(schema)) node.rules = this.rules(schema, node);
    else this.report(pointer, `must be a schema: an object, true or false, got ${described(schema)}`);
    return node;
  }

  private rules(schema: JsonObject, node: SchemaNode): readonly Rule[] {
    const { pointer } = node;
    this.checkShapes(schema, pointer);
    for (const [name, sub] of membersAt(schema, '$defs')) this.node(sub, pointer + pointerTo('$defs', name));
    const source = textAt(schema, 'pattern');
    const pattern = source === undefined ? null : this.pattern(source, `${pointer}/pattern`);
    const place = {
      below: (sub: JsonValue, ...keys: readonly (string | number)[]) =>
        this.node(sub, pointer + pointerTo(...keys)),
      inPlace: (sub: JsonValue, ...keys: readonly (string | number)[]) => {
        const asked = this.node(sub, pointer + pointerTo(...keys));
        node.inPlace.push(asked);
        return asked;
      },
      pattern: (text: string, ...keys: readonly string[]) => this.pattern(text, pointer + pointerTo(...keys)),
    };
    return [
      ...this.referenceRules(schema, node),
      ...valueRules(schema, pattern),
      ...schemaRules(schema, place),
    ];
  }

  private checkShapes(schema: JsonObject, pointer: string): void {
    for (const [key, value] of Object.entries(schema)) {
      const shape = shapes.get(key);
      const at = pointer + pointerTo(key);
      if (shape === undefined) this.problems.push({ pointer: at, message: unknownKeyword(key) });
      else if (!shape.is(value)) this.report(at, `must ${shape.words}, got ${described(value)}`);
    }
  }

  private referenceRules(schema: JsonObject, node: SchemaNode): readonly Rule[] {
    const to = textAt(schema, '$ref');
    if (to === undefined) return [];
    const reference: (typeof this.references)[number] = { node, to };
    this.references.push(reference);
    return [(value, run) => reference.target === undefined || run.apply(reference.target, value)];
  }

  /** Once all schemas are known: gives references their targets, and finds circles. */
  private link(): void {
    for (const reference of this.references) {
      const { node, to } = reference;
      const target = this.nodes.get(localPointer(to) ?? 'nowhere');
      if (target === undefined) {
        const words = 'must lead to a schema of this document, like #/$defs/name';
        this.report(`${node.pointer}/$ref`, `${words}, got ${described(to)}`);
        continue;
      }
      reference.target = target;
      node.inPlace.push(target);
    }
    const circle = firstCircle([...this.nodes.values()]);
    if (circle !== null)
      this.report(
        circle.pointer,
        'refers to itself without going deeper into the value, and would never end',
      );
  }

  private pattern(source: string, pointer: string): Pattern | null {
    const isSpent = this.instructions > payloadSchemaLimits.patternInstructions;
    const pattern = isSpent ? null : Pattern.of(source);
    this.instructions += pattern?.size ?? 0;
    if (this.instructions > payloadSchemaLimits.patternInstructions) {
      if (!isSpent) this.report(pointer, 'is one pattern too many, or too complex. Write shorter ones');
      return null;
    }
    if (pattern === null)
      this.report(
        pointer,
        'must be a regex of up to 1,000 characters, without look-around and back references',
      );
    return pattern;
  }

  private tooMany(node: SchemaNode): SchemaNode {
    if (this.nodes.size === payloadSchemaLimits.subschemas + 1) {
      this.report(node.pointer, `is one schema too many: ${payloadSchemaLimits.subschemas} are allowed`);
    }
    return node;
  }

  private report(pointer: string, message: string): void {
    this.problems.push({ pointer, message: `This ${message}.` });
  }
}

/** The RFC 6901 pointer that a local reference names; null for one that leads elsewhere, or is none. */
function localPointer(reference: string): string | null {
  if (!/^#(?:\/|$)/.test(reference)) return null;
  try {
    return decodeURIComponent(reference.slice(1));
  } catch {
    return null;
  }
}

/** A schema that, asking others about the same value, comes to ask itself. */
function firstCircle(nodes: readonly SchemaNode[]): SchemaNode | null {
  const done = new Set<SchemaNode>();
  const under = new Set<SchemaNode>();
  const visit = (node: SchemaNode): SchemaNode | null => {
    if (done.has(node)) return null;
    if (under.has(node)) return node;
    under.add(node);
    for (const asked of node.inPlace) {
      const found = visit(asked);
      if (found !== null) return found;
    }
    under.delete(node);
    done.add(node);
    return null;
  };
  for (const node of nodes) {
    const found = visit(node);
    if (found !== null) return found;
  }
  return null;
}

/** Looks at the schema from outside before anything recurses into it. */
function sizeProblem(schema: JsonValue): Finding | null {
  const { bytes, depth } = payloadSchemaLimits;
  if (isDeeper(schema, depth)) return { pointer: '', message: `This is nested more than ${depth} deep.` };
  const size = Buffer.byteLength(JSON.stringify(schema));
  return size > bytes
    ? { pointer: '', message: `This schema has ${size} bytes; ${bytes} are allowed.` }
    : null;
}

function isDeeper(value: JsonValue, levels: number): boolean {
  if (isJsonArray(value)) return levels === 0 || value.some((item) => isDeeper(item, levels - 1));
  if (!isJsonObject(value)) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}
