import { z } from 'zod';
import type { JsonValue } from '../../definition/json';
import { checkSchema, validateValue } from '../../payload-schema/payload-schema';
import { FormatFault, operation } from './operation';

const MAX_SHOWN = 3;

/** A JSON Schema; what is wrong with it is told where it is written. */
const schema = z
  .custom<JsonValue>((value) => value !== undefined, { error: 'is required' })
  .superRefine((given, context) => {
    for (const { pointer, message } of checkSchema(given)) {
      context.addIssue({ code: 'custom', path: pathOf(pointer), message });
    }
  })
  .meta({ type: ['object', 'boolean'], description: 'A JSON Schema, draft 2020-12.' });

/** Lets a value pass that fits a schema. */
export const validateOperations = [
  operation('json.validate', { schema }, (input, settings) => {
    const findings = validateValue(settings.schema, input);
    if (findings.length === 0) return input;
    const shown = findings
      .slice(0, MAX_SHOWN)
      .map(
        ({ pointer, message }) => `${pointer === '' ? 'the value' : pointer}: ${message.replace(/\.$/, '')}`,
      );
    const more = findings.length > MAX_SHOWN ? `; and ${findings.length - MAX_SHOWN} more` : '';
    throw new FormatFault('value', `needs a value that fits its schema. At ${shown.join('; ')}${more}`);
  }),
];

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
