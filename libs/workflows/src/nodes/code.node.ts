import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';
import type { Problem } from '../definition/problem';
import { sandboxLimits } from '../sandbox/limits';
import type { Sandbox } from '../sandbox/sandbox';
import type { SandboxResult } from '../sandbox/sandbox-result';
import { syntaxFault } from '../sandbox/syntax';
import type { NodeExecution, NodeKind, NodeOutcome } from './node-kind';
import { jsonValue } from './param-schemas';

const MIB = 1024 * 1024;
const DEFAULT_TIMEOUT_SECONDS = 1;
const DEFAULT_MEMORY_MB = sandboxLimits.minMemoryBytes / MIB;

const code = z
  .string()
  .max(sandboxLimits.codeBytes)
  .refine((text) => Buffer.byteLength(text) <= sandboxLimits.codeBytes, {
    error: `must have at most ${sandboxLimits.codeBytes} bytes in UTF-8`,
  })
  .describe(
    'The body of an async function with the parameter `input`. Expressions are not looked for in it.',
  );

const paramsSchema = z.strictObject({
  code,
  input: jsonValue.optional().describe('What the code gets as `input`; null when it is left out.'),
  timeoutSeconds: z
    .number()
    .min(sandboxLimits.minTimeoutMs / 1000)
    .max(sandboxLimits.maxTimeoutMs / 1000)
    .default(DEFAULT_TIMEOUT_SECONDS),
  memoryMb: z
    .int()
    .min(sandboxLimits.minMemoryBytes / MIB)
    .max(sandboxLimits.maxMemoryBytes / MIB)
    .default(DEFAULT_MEMORY_MB),
});

/** What a `code` node is told, defaults filled in. */
export type CodeParams = z.infer<typeof paramsSchema>;

/**
 * Runs JavaScript of the workflow's author in the sandbox. Its output is what the code returns. Time stands still at
 * the start of the run and chance is derived from run and node, so a repetition computes the same.
 */
export function codeNode(sandbox: Sandbox): NodeKind<CodeParams> {
  return {
    type: 'code',
    title: 'Code',
    description: 'Runs JavaScript on its input and gives what it returns. No network, no modules, no timers.',
    role: 'action',
    purity: 'compute',
    params: paramsSchema,
    literal: ['code'],
    ports: () => ['out'],
    check: codeProblems,
    execute: async (input) => outcomeOf(await sandbox.run(toJob(input))),
  };
}

function toJob({ params, workspaceId, runStartedAt, idempotencyKey, signal }: NodeExecution<CodeParams>) {
  return {
    code: params.code,
    input: params.input ?? null,
    workspaceId,
    timeoutMs: Math.ceil(params.timeoutSeconds * 1000),
    memoryBytes: params.memoryMb * MIB,
    nowMs: Date.parse(runStartedAt),
    seed: idempotencyKey,
    signal,
  };
}

function outcomeOf(result: SandboxResult): NodeOutcome {
  if (result.kind === 'done') return { kind: 'done', output: result.value };
  const { message, line, column, logs } = result;
  const place: { [key: string]: JsonValue } = {};
  if (line !== undefined) place['line'] = line;
  if (column !== undefined) place['column'] = column;
  const details: JsonObject = { ...place, logs };
  return { kind: 'failed', error: { code: `node.code_${result.code}`, message, details } };
}

/** Code that cannot be parsed is found before the workflow is published. It is not run for that. */
function codeProblems({ code: text }: JsonObject): readonly Problem[] {
  if (typeof text !== 'string' || !code.safeParse(text).success) return [];
  const fault = syntaxFault(text);
  if (fault === undefined) return [];
  const { line, column } = fault;
  const place = line === undefined || column === undefined ? {} : { line, column };
  const where = line === undefined || column === undefined ? '' : ` (line ${line}, column ${column})`;
  const message = `The code can not be parsed${where}: ${fault.message}`;
  return [{ code: 'code_syntax', pointer: '/code', message, ...place }];
}
