import { type ApiClient, expectStatus } from './api-client';
import type { Json } from './json';

type Schema = Readonly<Record<string, Json>>;

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces, as `/v1/workspaces/{workspaceId}`. */
  readonly path: string;
  readonly isPublic: boolean;
  readonly permission: string | null;
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly string[];
  /** Headers without which it refuses a request, with values it takes. */
  readonly requiredHeaders: Readonly<Record<string, string>>;
  /** A body that it takes, made from its schema; null for one without a JSON body. */
  readonly sampleBody: unknown;
}

/** Headers without which some operation refuses a request. */
const HEADERS: Readonly<Record<string, string>> = { 'If-Match': '*' };

/** Members of which no schema tells enough: a graph is described by a schema of its own. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  definition: { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] },
  role: 'viewer',
  email: 'somebody@example.com',
};

/** Every operation that a server documents, so that tests which walk them need no line for a new route. */
export async function operationsOf(server: ApiClient): Promise<readonly Operation[]> {
  const document = expectStatus(await server.get('/openapi.json'), 200);
  return Object.entries<Schema>(document.paths).flatMap(([path, item]) =>
    Object.entries<Schema>(item).map(([method, operation]) => {
      const parameters: readonly Schema[] = operation['parameters'] ?? [];
      const namesIn = (place: string) =>
        parameters.filter((one) => one['in'] === place).map(({ name }) => name);
      const required = parameters.filter((one) => one['in'] === 'header' && one['required']);
      const schema = operation['requestBody']?.content['application/json']?.schema;
      return {
        id: operation['operationId'],
        method: method.toUpperCase(),
        path,
        isPublic: operation['security'].length === 0,
        permission: operation['x-permission'] ?? null,
        pathParameters: namesIn('path'),
        queryParameters: namesIn('query'),
        requiredHeaders: Object.fromEntries(required.map(({ name }) => [name, HEADERS[name] ?? 'x'])),
        sampleBody: schema === undefined ? null : sampleOf(schema, document),
      };
    }),
  );
}

/** Fills the parameters of a path. Throws for one that nothing is known for, naming the operation. */
export function pathOf({ id, path }: Operation, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(`${id} has the parameter {${name}}: give this test a value for it.`);
    return value;
  });
}

/** Whether it is under a workspace, whose guard then decides first. */
export function isOfWorkspace({ path }: Operation): boolean {
  return path.includes('{workspaceId}');
}

/** The request that an operation takes, as options of `ApiClient.send`. */
export function requestOf({ sampleBody, requiredHeaders }: Operation) {
  if (sampleBody === null) return { headers: requiredHeaders };
  return {
    headers: { ...requiredHeaders, 'content-type': 'application/json' },
    body: JSON.stringify(sampleBody),
  };
}

/** The smallest value that a schema takes: required members only. */
function sampleOf(schema: Schema, document: Schema): unknown {
  const { $ref: reference, enum: choices, type, required = [], properties = {} } = schema;
  if (typeof reference === 'string') return sampleOf(resolved(reference, document), document);
  if (choices) return choices[0];
  switch (type) {
    case 'object':
      return Object.fromEntries(
        required.map((name: string) => [name, SAMPLES[name] ?? sampleOf(properties[name], document)]),
      );
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return 'x'.repeat(Math.max(schema['minLength'] ?? 1, 1));
    default:
      return {};
  }
}

function resolved(reference: string, document: Schema): Schema {
  return reference
    .split('/')
    .slice(1)
    .reduce((place, name) => place[name], document);
}
