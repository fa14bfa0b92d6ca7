// `npm run demo`: a GitHub push starts a workflow, told step by step with the curl command for each.
//
// It starts a Millrace of its own and stops it again, so it needs neither a running one nor the Internet. For a running
// one: `npm run demo -- --url http://localhost:3000 [--target https://…]` (or MILLRACE_URL). That one refuses to call
// this machine, as it should, so the message to the team goes to --target, or is refused and the run takes its error path.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { curlOf, DemoError, eventsOf, send } from './demo/client.mjs';
import { spawnOwnMillrace } from './demo/own-millrace.mjs';
import { startReceiver } from './demo/receiver.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const FILES = { workflow: 'scripts/demo/workflow.json', push: 'scripts/demo/github-push.json' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** What GitHub sends with a push, but for the signature: addresses of webhooks are secrets, and signatures come later. */
const GITHUB_HEADERS = {
  ...JSON_TYPE,
  'user-agent': 'GitHub-Hookshot/4c1b2a9',
  'x-github-event': 'push',
  'x-github-delivery': '7f3b1c9e-58d2-11f1-8a44-0242ac120003',
  'x-github-hook-id': '512884190',
  'x-github-hook-installation-target-type': 'repository',
  'x-github-hook-installation-target-id': '824190331',
};

const say = (text = '') => console.log(text);
let steps = 0;
/** Value → shell variable: long values are told once, and shown by name in the commands after that. */
const variables = new Map();

function step(title, request) {
  steps += 1;
  let command = curlOf(request);
  // The longest first: the address of the webhook begins with that of the server.
  const longestFirst = [...variables].toSorted(([one], [other]) => other.length - one.length);
  for (const [value, name] of longestFirst) command = command.replaceAll(value, `$${name}`);
  say(`\n${steps}. ${title}\n\n    ${command}\n`);
}

/** Tells a value that later commands need. */
function remember(name, value) {
  variables.set(value, name);
  say(`   ${name}=${value}`);
}

/** Signs up somebody new; gives the token and the workspace that came with the account. */
async function signUp(url) {
  const email = `ada-${Date.now().toString(36)}@example.com`;
  const body = JSON.stringify({
    email,
    password: 'correct horse battery staple',
    acceptTerms: '1.0',
    workspaceName: 'Northwind Mills',
  });
  const request = { method: 'POST', url: `${url}/v1/auth/sign-up`, headers: JSON_TYPE, body };
  step('Ada signs up. Her workspace comes with the account.', { ...request, shownBody: body });
  const { token } = await send(request);
  const me = { method: 'GET', url: `${url}/v1/me`, token };
  const { workspaces } = await send(me);
  const [workspace] = workspaces;
  say(`   ${email} is the ${workspace.role} of "${workspace.name}" (GET /v1/me).`);
  say('   TOKEN is the "token" of the answer.');
  remember('WORKSPACE', workspace.id);
  return { token, base: `${url}/v1/workspaces/${workspace.id}` };
}

/** Creates the workflow of the demo, its message going to `target`, and publishes it; gives the webhook's address. */
async function publish({ base, token }, target) {
  const workflow = JSON.parse(readFileSync(join(ROOT, FILES.workflow), 'utf8'));
  for (const { id, params } of workflow.definition.nodes) if (id === 'tellTeam') params.url = target;
  const create = { method: 'POST', url: `${base}/workflows`, token, headers: JSON_TYPE };
  step('She describes a workflow as a graph.', { ...create, shownBody: `@${FILES.workflow}` });
  const created = await send({ ...create, body: JSON.stringify(workflow) });
  const ids = workflow.definition.nodes.map(({ id, type }) => `${id} (${type})`);
  say(`   ${ids.join(', ')}`);
  say(`   The message to the team goes to ${target} this time.`);

  remember('WORKFLOW', created.id);

  const path = `${base}/workflows/${created.id}`;
  const publication = { method: 'POST', url: `${path}/publish`, token };
  step('She publishes it: from now on version 1 cannot change.', publication);
  const { number } = await send(publication);
  const { triggers } = await send({ method: 'GET', url: path, token });
  const { hookUrl } = triggers[0];
  say(`   Version ${number}. Its webhook has an address of its own, which is a secret:`);
  remember('HOOK', hookUrl);
  return hookUrl;
}

/** Calls the webhook as GitHub does; gives the id of the run. */
async function push(hookUrl) {
  const request = { method: 'POST', url: hookUrl, headers: GITHUB_HEADERS };
  step('GitHub tells of a push.', { ...request, shownBody: `@${FILES.push}` });
  const { runId } = await send({ ...request, body: readFileSync(join(ROOT, FILES.push), 'utf8') });
  say('   202: the run is stored, and will be executed whatever happens to the process that took it.');
  remember('RUN', runId);
  return runId;
}

async function follow({ base, token }, runId) {
  const url = `${base}/runs/${runId}/stream`;
  step('She watches it live.', { method: 'GET', url, token, flags: '-sN' });
  let last;
  for await (const { id, event, data } of eventsOf(url, token)) {
    say(`   ${id.padStart(3)}  ${data.at.slice(11, 23)}  ${event.padEnd(15)} ${detailOf(data)}`.trimEnd());
    last = event;
  }
  if (last !== 'run.succeeded') throw new DemoError(`The run ended with ${last}.`);
}

function detailOf({ nodeId = '', resumeAt, error }) {
  if (resumeAt) return `${nodeId} until ${resumeAt.slice(11, 23)}`.trim();
  return error ? `${nodeId}  ${error.code}` : nodeId;
}

async function showResults({ base, token }, runId) {
  const request = { method: 'GET', url: `${base}/runs/${runId}/node-runs`, token };
  step('Every node has its own record.', request);
  const { data } = await send(request);
  for (const { nodeId, status, startedAt, finishedAt, ports } of data) {
    const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
    const line = `${nodeId.padEnd(9)} ${status.padEnd(10)} ${String(tookMs).padStart(5)} ms  ${ports.join(', ')}`;
    say(`   ${line}`.trimEnd());
  }
  const refusal = data.find(({ nodeId }) => nodeId === 'peek').error;
  say(`\n   Why peek failed, as every call of a private address does by default:\n   ${refusal.message}`);

  const run = { method: 'GET', url: `${base}/runs/${runId}`, token };
  step("The run's output is what its last nodes gave.", run);
  const { output } = await send(run);
  say(`   ${JSON.stringify(output, null, 2).replaceAll('\n', '\n   ')}`);
}

function showMessage(messages) {
  const [message] = messages;
  if (!message) {
    say(
      '\n   Nobody was told: the server refuses private addresses. Give it a public one with --target https://…',
    );
    return;
  }
  say(`\n   The team read: ${message.body.text}`);
  for (const commit of message.body.commits) say(`                  · ${commit}`);
  say(`   A repetition after a crash would carry the same Idempotency-Key: ${message.idempotencyKey}`);
}

async function tell(url, { target, receiver }) {
  const session = await signUp(url);
  const hookUrl = await publish(session, target ?? receiver.url);
  const runId = await push(hookUrl);
  await follow(session, runId);
  await showResults(session, runId);
  if (target === undefined) showMessage(receiver.messages);
}

/** The Millrace to talk to: a running one, else one of our own. */
async function theMillrace(url) {
  if (url !== undefined) {
    say(`Millrace demo, on the one at ${url}\n`);
    const running = url.replace(/\/+$/, '');
    const ready = () => send({ method: 'GET', url: `${running}/health/live` });
    return { url: running, ready, stop: () => Promise.resolve() };
  }
  say(
    'Millrace demo. Starting a Millrace of its own in a temporary folder (a few seconds). It alone may call',
  );
  say('127.0.0.0/8 (EGRESS_ALLOW_PRIVATE), because the team of this demo listens there.\n');
  return spawnOwnMillrace();
}

function parsedArguments() {
  try {
    const options = { url: { type: 'string' }, target: { type: 'string' } };
    const { url = process.env.MILLRACE_URL, target } = parseArgs({ options }).values;
    for (const [name, value] of Object.entries({ url, target })) {
      if (value !== undefined && !URL.canParse(value)) throw new Error(`--${name} is not a URL: ${value}`);
    }
    return { url, target };
  } catch (error) {
    const usage = `${relative('', import.meta.filename)} [--url http://localhost:3000] [--target https://…]`;
    throw new DemoError(`${error.message}\nUsage: node ${usage}`, { cause: error });
  }
}

async function main() {
  const { url, target } = parsedArguments();
  const receiver = await startReceiver();
  const stops = [receiver.stop];
  let cleaning;
  const stopAll = async () => {
    for (const stop of stops.toReversed()) await stop();
  };
  // Once, however many reasons there are: the second one to ask waits for the first.
  const cleanUp = () => (cleaning ??= stopAll());
  const interrupted = () => void cleanUp().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, interrupted);
  // Whoever reads has had enough: npm run demo | head.
  process.stdout.on('error', interrupted);
  try {
    const millrace = await theMillrace(url);
    stops.push(millrace.stop);
    await millrace.ready();
    remember('API', millrace.url);
    await tell(millrace.url, { target, receiver });
    say('\nDone. The workflow and the push are in scripts/demo; README.md goes the same way by hand.\n');
  } finally {
    await cleanUp();
  }
}

main().catch((error) => {
  console.error(
    `\nThe demo failed. ${error instanceof DemoError ? error.message : (error.stack ?? String(error))}`,
  );
  process.exitCode = 1;
});
