import type { JsonValue } from '../definition/json';
import { type CompiledSchema, compileSchema } from './compile';
import { payloadSchemaLimits } from './limits';
import { type Finding, Run, type SchemaNode, TooMuchWork } from './run';

/** Compiled schemas by their text, in the order of their last use. */
const compiled = new Map<string, CompiledSchema>();

/** Everything that is wrong with a schema, up to a limit; nothing when values can be checked by it. Never throws. */
export function checkSchema(schema: JsonValue): readonly Finding[] {
  const result = compileSchema(schema);
  return result.ok ? [] : result.problems;
}

/**
 * What does not fit of a value, up to a limit; nothing when it fits. A schema that is not right lets nothing through, and
 * neither does one that takes too much work. Never throws.
 */
export function validateValue(schema: JsonValue, value: JsonValue): readonly Finding[] {
  const known = compiledOnce(schema);
  return known.ok ? findingsOf(known.root, value) : [unusable];
}

const unusable: Finding = {
  pointer: '',
  message: 'The schema of this value is not right, so nothing fits it.',
};
const tooMuch: Finding = {
  pointer: '',
  message: 'To check this value takes too much work. Send less, or make the schema simpler.',
};

function findingsOf(root: SchemaNode, value: JsonValue): readonly Finding[] {
  const run = new Run();
  try {
    run.apply(root, value);
    return run.findings;
  } catch (error) {
    if (error instanceof TooMuchWork) return [tooMuch];
    throw error;
  }
}

function compiledOnce(schema: JsonValue): CompiledSchema {
  const key = JSON.stringify(schema);
  const known = compiled.get(key) ?? compileSchema(schema);
  compiled.delete(key);
  compiled.set(key, known);
  const [oldest] = compiled.keys();
  if (compiled.size > payloadSchemaLimits.cached && oldest !== undefined) compiled.delete(oldest);
  return known;
}
