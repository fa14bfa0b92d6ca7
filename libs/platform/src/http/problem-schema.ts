/** The schema of `ProblemDocument` for the API document. */
export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance', 'requestId'],
  additionalProperties: true,
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Reference of the kind of problem.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What was wrong this time, and what to do about it.' },
    code: { type: 'string', description: 'Stable: programs may decide by it.' },
    instance: { type: 'string', format: 'uri-reference' },
    requestId: { type: 'string', description: 'Names the request in the logs of the server.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON pointer into the body, "?name" of the query, or ":name" of the path.',
          },
          code: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
} satisfies object;
