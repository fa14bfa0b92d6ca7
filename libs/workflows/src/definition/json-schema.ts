import { z } from 'zod';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import { definitionSchema } from './schema';

type Schema = { [key: string]: unknown };

/**
 * The JSON Schema (draft 2020-12) of a definition, with the params of each kind, so that an editor can check
 * while somebody types. In params every value may also be a template string.
 */
export function definitionJsonSchema(kinds: NodeKindRegistry): { readonly [key: string]: unknown } {
  const schema = z.toJSONSchema(definitionSchema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
  });
  const { properties } = schema;
  const nodes = properties?.['nodes'];
  if (typeof nodes !== 'object' || typeof nodes.items !== 'object' || Array.isArray(nodes.items)) {
    throw new Error('The JSON Schema of a definition has no nodes.');
  }
  const type = { type: 'string', enum: kinds.list().map((kind) => kind.type) };
  const item = { ...nodes.items, allOf: kinds.list().map(paramsOf) };
  const itemProperties = { ...nodes.items.properties, type };
  return {
    ...schema,
    title: 'Workflow definition',
    properties: { ...properties, nodes: { ...nodes, items: { ...item, properties: itemProperties } } },
    $defs: { template, text },
  };
}

/** A whole expression may stand for a value of any type; one with text around it is a string. */
const template = { type: 'string', pattern: '^\\{\\{[\\s\\S]*\\}\\}$', description: 'An expression.' };
const text = {
  type: 'string',
  pattern: '\\{\\{[\\s\\S]*\\}\\}',
  description: 'Text with expressions in it.',
};

function paramsOf({ type, params, literal = [] }: NodeKind): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(params, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
  });
  return {
    if: { properties: { type: { const: type } }, required: ['type'] },
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    then: {
      properties: { params: withTemplates(schema, literal) },
      required: schema.required === undefined ? [] : ['params'],
    },
  };
}

/** The schema, with templates allowed in place of each of its inner values but the properties named as literal. */
function withTemplates(schema: unknown, literal: readonly string[] = []): unknown {
  if (Array.isArray(schema)) return schema.map((each) => withTemplates(each));
  if (!isSchema(schema)) return schema;
  const widened: Schema = { ...schema };
  for (const key of ['properties', 'patternProperties']) {
    const members = schema[key];
    if (isSchema(members)) {
      widened[key] = Object.fromEntries(
        Object.entries(members).map(([name, member]) => [
          name,
          literal.includes(name) ? member : orTemplate(member),
        ]),
      );
    }
  }
  for (const key of ['items', 'additionalProperties'])
    if (isSchema(schema[key])) widened[key] = orTemplate(schema[key]);
  if (Array.isArray(schema['prefixItems'])) widened['prefixItems'] = schema['prefixItems'].map(orTemplate);
  for (const key of ['anyOf', 'oneOf', 'allOf']) if (key in schema) widened[key] = withTemplates(schema[key]);
  return widened;
}

function orTemplate(schema: unknown): unknown {
  if (!isSchema(schema) || Object.keys(schema).length === 0) return schema;
  const { description, default: fallback, ...rest } = schema;
  const alternative = { $ref: rest['type'] === 'string' ? '#/$defs/text' : '#/$defs/template' };
  const widened: Schema = { anyOf: [withTemplates(rest), alternative] };
  if (description !== undefined) widened['description'] = description;
  if (fallback !== undefined) widened['default'] = fallback;
  return widened;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
