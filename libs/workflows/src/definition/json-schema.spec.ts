import { builtinKinds } from '../nodes/builtin-kinds';
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
});
