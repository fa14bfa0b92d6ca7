import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import { jsonEqual } from './json-equal';
import type { NodeKind } from './node-kind';
import { jsonValue, portName } from './param-schemas';

export interface SwitchParams {
  readonly value: JsonValue;
  readonly cases: readonly { readonly port: string; readonly equals: JsonValue }[];
}

const defaultPort = 'default';
const reservedPorts: ReadonlySet<string> = new Set([defaultPort, 'error']);

const casePort = portName.refine((port) => !reservedPorts.has(port), {
  error: 'must not be `default` or `error`, which every switch has already',
});

const cases = z
  .array(z.strictObject({ port: casePort, equals: jsonValue }))
  .min(1)
  .max(100)
  .superRefine((list, context) => {
    for (const [i, { port }] of list.entries()) {
      if (list.findIndex((other) => other.port === port) === i) continue;
      context.addIssue({
        code: 'custom',
        path: [i, 'port'],
        message: `is the port of an earlier case: ${port}`,
      });
    }
  });

/** Takes the port of the first case that equals the value, and `default` when none does. */
export const switchNode: NodeKind<SwitchParams> = {
  type: 'switch',
  title: 'Switch',
  description: 'Takes the port of the first case that equals the value, else the port `default`.',
  role: 'action',
  purity: 'pure',
  params: z.strictObject({ value: jsonValue, cases }),
  ports: (params) => [...casePorts(params), defaultPort],
  execute: ({ params }) => {
    const match = params.cases.find((each) => jsonEqual(each.equals, params.value));
    return { kind: 'done', output: params.value, ports: [match?.port ?? defaultPort] };
  },
};

/** From raw params, which may be of any shape: what is not a port is reported by the schema. */
function casePorts(params: JsonObject): readonly string[] {
  const list = params['cases'];
  if (list === undefined || !isJsonArray(list)) return [];
  return list.flatMap((each) => {
    const port = isJsonObject(each) ? casePort.safeParse(each['port']) : undefined;
    return port?.success ? [port.data] : [];
  });
}
