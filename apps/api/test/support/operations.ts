import { randomUUID } from 'node:crypto';
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
  /** Those of them that are ids; not the number of a version, say, or one word of a few. */
  readonly idParameters: readonly string[];
  /** Those of which the schema lists the values, each with its first one. */
  readonly words: Readonly<Record<string, string>>;
  readonly queryParameters: readonly string[];
  /** Headers without which it refuses a request, with values it takes. */
  readonly requiredHeaders: Readonly<Record<string, string>>;
  /** A body that it takes, made from its schema; null for one without a JSON body. */
  readonly sampleBody: unknown;
  /** Members of its body that are ids. */
  readonly bodyIds: readonly string[];
  /** Whether it answers with a stream of events, which does not end by itself. */
  readonly isStream: boolean;
}

/** Headers without which some operation refuses a request. */
const HEADERS: Readonly<Record<string, string>> = { 'If-Match': '*' };

/** Members of which no schema tells enough, and optional ones without which some body says too little. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  definition: { nodes: [{ id: 'begin', type: 'trigger.manual' }], edges: [] },
  role: 'viewer',
  email: 'somebody@example.com',
  cron: '@daily',
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
        words: Object.fromEntries(
          parameters
            .filter((one) => one['in'] === 'path' && one['schema']?.enum)
            .map(
              ({
                name,
                schema: {
                  enum: [word],
                },
              }) => [name, word],
            ),
        ),
        idParameters: parameters
          .filter((one) => one['in'] === 'path' && one['schema']?.format === 'uuid')
          .map(({ name }) => name),
        queryParameters: namesIn('query'),
        requiredHeaders: Object.fromEntries(required.map(({ name }) => [name, HEADERS[name] ?? 'x'])),
        sampleBody: schema === undefined ? null : sampleOf(schema, document),
        bodyIds: schema === undefined ? [] : idsOf(schema, document),
        isStream: operation['responses']['200']?.content?.['text/event-stream'] !== undefined,
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

/** The members of a body whose values are ids. */
function idsOf(schema: Schema, document: Schema): readonly string[] {
  const { $ref: reference, properties = {} } = schema;
  if (typeof reference === 'string') return idsOf(resolved(reference, document), document);
  return Object.entries<Schema>(properties).flatMap(([name, { format }]) =>
    format === 'uuid' ? [name] : [],
  );
}

/** The smallest value that a schema takes: required members, and those of which a sample is known. */
function sampleOf(schema: Schema, document: Schema): unknown {
  const { $ref: reference, enum: choices, type, required = [], properties = {} } = schema;
  if (typeof reference === 'string') return sampleOf(resolved(reference, document), document);
  if (choices) return choices[0];
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.keys(properties)
          .filter((name) => required.includes(name) || name in SAMPLES)
          .map((name) => [name, SAMPLES[name] ?? sampleOf(properties[name], document)]),
      );
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return true;
    case 'string':
      if (schema['format'] === 'uuid') return randomUUID();
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

/** Whether its path holds an id beside that of the workspace: somebody else's must be like one that does not exist. */
export function takesIds({ idParameters }: Operation): boolean {
  return idParameters.some((name) => name !== 'workspaceId');
}

/**
 * One of each thing that paths have parameters for, found as a caller would: by listing the collection that stands
 * before the parameter, and by adding to it when it is empty. A route added later needs nothing here, unless its
 * collection can neither be listed nor added to: then this says so.
 */
export class Examples {
  readonly #known = new Map<string, string>();

  constructor(
    private readonly api: ApiClient,
    private readonly operations: readonly Operation[],
    given: Readonly<Record<string, string>>,
  ) {
    for (const [name, value] of Object.entries(given)) this.#known.set(name, value);
  }

  /** The parameters of a path, each with its example. */
  async of(operation: Operation): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    for (const name of operation.pathParameters) {
      const before = operation.path.slice(0, operation.path.indexOf(`/{${name}}`));
      found[name] = operation.words[name] ?? (await this.#find(operation, before, name));
    }
    return found;
  }

  async #find(operation: Operation, collection: string, name: string): Promise<string> {
    const key = this.#known.has(name) ? name : `${collection} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const example = (await this.#listed(collection, name)) ?? (await this.#added(collection, name));
    if (example === null) {
      throw new Error(
        `${operation.id}: nothing is in ${collection}, and nothing could be added. Put one there before this test.`,
      );
    }
    this.#known.set(key, example);
    return example;
  }

  async #listed(collection: string, name: string): Promise<string | null> {
    const listing = this.operations.find(({ method, path }) => method === 'GET' && path === collection);
    if (!listing) return null;
    const { body } = await this.api.send('GET', pathOf(listing, await this.of(listing)));
    const [first] = body?.data ?? [];
    const value = first?.[name] ?? first?.id ?? null;
    return value === null ? null : String(value);
  }

  async #added(collection: string, name: string): Promise<string | null> {
    const adding = this.operations.find(({ method, path }) => method === 'POST' && path === collection);
    if (!adding) return null;
    await this.api.send('POST', pathOf(adding, await this.of(adding)), requestOf(adding));
    return this.#listed(collection, name);
  }
}
