import { z } from 'zod';
import { builtinKinds } from '../nodes/builtin-kinds';
import type { NodeKind } from '../nodes/node-kind';
import { NodeKindRegistry } from '../nodes/registry';
import { definitionJsonSchema } from './json-schema';

describe('The JSON Schema of a definition', () => {
  const schema = definitionJsonSchema(new NodeKindRegistry(builtinKinds()));
  const text = JSON.stringify(schema);

  test('is draft 2020-12, and refuses unknown members', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      required: ['nodes', 'edges'],
      additionalProperties: false,
    });
  });

  test('has the params of each kind', () => {
    for (const { type } of builtinKinds())
      expect(text).toContain(`{"if":{"properties":{"type":{"const":"${type}"}}`);
  });

  test('lets an expression stand for a value of any type', () => {
    expect(text).toContain('"if":{"anyOf":[{"type":"boolean"},{"$ref":"#/$defs/template"}]}');
    expect(text).toContain('"$defs":{"template":{"type":"string"');
  });

  test('lets none stand in a param that is taken literally', () => {
    const kind: NodeKind = {
      type: 'test.program',
      title: 'Program',
      description: 'Has a literal param.',
      role: 'action',
      purity: 'pure',
      params: z.strictObject({ program: z.string().max(9), input: z.string().max(9) }),
      literal: ['program'],
      ports: () => ['out'],
      execute: () => ({ kind: 'done', output: null }),
    };
    const properties = JSON.stringify(definitionJsonSchema(new NodeKindRegistry([kind])));
    expect(properties).toContain('"program":{"type":"string","maxLength":9}');
    expect(properties).toContain(
      '"input":{"anyOf":[{"type":"string","maxLength":9},{"$ref":"#/$defs/text"}]}',
    );
  });
});
