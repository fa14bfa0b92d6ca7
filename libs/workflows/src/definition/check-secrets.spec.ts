import { EgressClient } from '../egress/guarded-client';
import { TestWorkspaces } from '../egress/testing/test-workspaces';
import { builtinKinds } from '../nodes/builtin-kinds';
import { httpRequestNode } from '../nodes/http-request.node';
import { NodeKindRegistry } from '../nodes/registry';
import { secretReferences } from './check-secrets';
import type { JsonObject, JsonValue } from './json';
import { parseDraft, validateDefinition } from './validate';

const kinds = new NodeKindRegistry([
  ...builtinKinds(),
  httpRequestNode(new EgressClient(new TestWorkspaces().options)),
]);

/** A workflow of a trigger and one node. */
const withNode = (type: string, params: JsonObject, more: JsonObject = {}) => ({
  nodes: [
    { id: 'start', type: 'trigger.manual' },
    { id: 'node', type, params, ...more },
  ],
  edges: [{ from: 'start', to: 'node' }],
});

const calling = (params: JsonObject, more: JsonObject = {}) =>
  withNode('http.request', { method: 'POST', url: 'https://api.example', ...params }, more);

function problemsOf(definition: JsonValue): readonly string[] {
  const result = validateDefinition(definition, kinds);
  return result.ok ? [] : result.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

describe('secrets in a definition', () => {
  it.each<JsonObject>([
    { url: 'https://api.example/{{ secrets.PATH_1 }}/items' },
    { query: { key: '{{ secrets.KEY }}' } },
    { headers: { Authorization: '{{ "Bearer " & secrets.KEY }}' } },
    { headers: { 'X-Key': '{{ trigger.live ? secrets.LIVE : secrets.TEST }}' } },
    { auth: { basic: { username: 'ada', password: '{{ secrets.KEY }}' } } },
    { auth: { bearer: '{{ (trigger.a; secrets.KEY) }}' } },
    { body: { json: '{{ {"a": [secrets.KEY, {"b": $$.secrets.OTHER & "!"}]} }}' } },
    { body: { json: { secrets: '{{ trigger.secrets.KEY }}', text: 'secrets.KEY' } } },
    { body: { json: '{{ trigger.items[secrets.KEY = "theirs"] }}' } },
    { body: { form: { token: '{{ secrets.KEY }}', more: 'x{{ secrets.KEY }}y' } } },
  ])('may be passed on: %j', (params) => {
    expect(problemsOf(calling(params))).toEqual([]);
  });

  it.each([
    '{{ secrets }}',
    '{{ secrets.* }}',
    '{{ $lookup(secrets, trigger.name) }}',
    '{{ $lookup(secrets, "KEY") }}',
    '{{ secrets.key }}',
    '{{ secrets.KEY.part }}',
    '{{ secrets.KEY[0] }}',
    '{{ $base64encode("a:" & secrets.KEY) }}',
    '{{ $length(secrets.KEY) }}',
    '{{ $substring(secrets.KEY, 0, 4) }}',
    '{{ secrets.KEY = "guess" ? "yes" : "no" }}',
    '{{ secrets.KEY ~> $uppercase }}',
    '{{ ($k := secrets.KEY; $k) }}',
    '{{ secrets.KEY & $string(secrets.KEY) }}',
    '{{ {secrets.KEY: 1} }}',
    '{{ [1..3].{"a": $$.secrets.KEY} }}',
    '{{ $map([1], function($i) { $$.secrets.KEY }) }}',
    '{{ secrets.KEY in ["a"] }}',
    '{{ trigger.a[$$.secrets.KEY = b] }}',
  ])('are passed on whole or not at all: %s', (text) => {
    expect(problemsOf(calling({ body: { json: { at: [text] } } }))).toEqual([
      'secret_not_whole /nodes/1/params/body/json/at/0',
    ]);
  });

  it('may stand in no param that is kept or computed with, and each problem says where they may', () => {
    const text = '{{ secrets.KEY }}';
    const cases: readonly (readonly [JsonValue, string])[] = [
      [withNode('set', { values: { a: [text] } }), '/nodes/1/params/values/a/0'],
      [withNode('condition', { if: text }), '/nodes/1/params/if'],
      [withNode('respond', { body: text }), '/nodes/1/params/body'],
      [withNode('fail', { message: text }), '/nodes/1/params/message'],
      [withNode('run.workflow', { workflowId: text }), '/nodes/1/params/workflowId'],
      [calling({ method: text }), '/nodes/1/params/method'],
      [calling({}, { retry: { attempts: 2, retryIf: text } }), '/nodes/1/retry/retryIf'],
      [{ ...calling({}), settings: { labels: { a: text } } }, '/settings/labels/a'],
      [{ ...calling({}), settings: { concurrency: { limit: 1, key: text } } }, '/settings/concurrency/key'],
    ];
    for (const [definition, pointer] of cases) {
      const result = validateDefinition(definition, kinds);
      expect(result.ok ? [] : result.problems).toContainEqual({
        code: 'secret_not_allowed',
        pointer,
        message: expect.stringContaining('url, query, headers, auth, body of http.request'),
      });
    }
  });

  it('are twenty in a workflow at most', () => {
    const json = Array.from({ length: 21 }, (_, i) => `{{ secrets.KEY_${i} }}`);
    expect(problemsOf(calling({ body: { json } }))).toEqual(['too_many_secrets /nodes']);
    expect(problemsOf(calling({ body: { json: json.slice(1) } }))).toEqual([]);
  });

  it('are listed with their places', () => {
    const parsed = parseDraft(
      calling({
        headers: { a: '{{ secrets.B & secrets.A }}' },
        body: { json: { secrets: '{{ trigger.secrets }}' } },
      }),
    );
    if (!parsed.ok) throw new Error('The draft has not the shape.');
    const pointer = '/nodes/1/params/headers/a';
    expect(secretReferences(parsed.definition, kinds)).toEqual([
      { name: 'A', pointer },
      { name: 'B', pointer },
    ]);
  });
});
