import { checkSchema } from '../payload-schema/payload-schema';
import { jsonObject } from './param-schemas';

/** A JSON Schema that an author writes, checked as one. */
export const payloadSchema = jsonObject.superRefine((schema, context) => {
  for (const { pointer, message } of checkSchema(schema)) {
    context.addIssue({ code: 'custom', path: pointer.split('/').slice(1), message });
  }
});
