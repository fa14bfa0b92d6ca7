import { nestsDeeper, storableJson, storableText } from '../egress/response-content';
import { sandboxLimits } from './limits';
import { sandboxFailure, type SandboxFailure } from './sandbox-result';

/** What came of an execution. `text` is JSON that is within the limits and can be stored. */
export type GuestOutcome =
  | { readonly kind: 'done'; readonly text: string; readonly logs: readonly string[] }
  | SandboxFailure;

type Logs = readonly string[];

/** What the prelude's `encode` said: a word, a line break, and JSON. */
export function encodedOutcome(encoded: string, logs: Logs): GuestOutcome {
  const at = encoded.indexOf('\n');
  const text = encoded.slice(at + 1);
  switch (encoded.slice(0, at)) {
    case 'done':
      return outputOutcome(text, logs);
    case 'output_too_large':
      return tooLarge(`${text} characters`, logs);
    case 'not_json':
      return sandboxFailure('not_json', stringsIn(text)[0] ?? '', { logs });
    case 'failed':
      return encodingFailure(text, logs);
    default:
      return sandboxFailure('sandbox_failed', 'The sandbox gave an answer that nobody understands.', {
        logs,
      });
  }
}

/** What was thrown by the code or by its parser, as the prelude's `describe` said it. */
export function thrownFailure(described: string, logs: Logs): SandboxFailure {
  const { name, message, place } = thrownIn(described);
  if (isOutOfMemory(name, message)) return outOfMemory(logs);
  if (isTooDeep(name, message)) return tooDeep(place, logs);
  const what = [name, message].filter((part) => part !== '').join(': ');
  return sandboxFailure('threw', what === '' ? 'The code threw an error that says nothing.' : what, {
    ...place,
    logs,
  });
}

/** An exception of the host: of the interpreter compiled to WebAssembly, never of the code as such. */
export function brokenFailure(error: unknown, logs: Logs): SandboxFailure {
  if (error instanceof RangeError) return tooDeep({}, logs);
  const message = `The sandbox broke: ${error instanceof Error ? error.message : String(error)}`;
  return sandboxFailure('sandbox_failed', storableText(message).slice(0, sandboxLimits.messageCharacters), {
    logs,
  });
}

export function outOfMemory(logs: Logs): SandboxFailure {
  const message = 'The code asked for more memory than it may have. Work on less at a time, or set memoryMb.';
  return sandboxFailure('memory', message, { logs });
}

export function timedOut(timeoutMs: number, logs: Logs): SandboxFailure {
  const message = `The code was stopped: it had ${timeoutMs} ms. Make it do less, or set timeoutSeconds.`;
  return sandboxFailure('timeout', message, { logs });
}

export function neverSettled(logs: Logs): SandboxFailure {
  const message =
    'The code waits for a promise that nothing will settle: there are no timers and no input or output here. ' +
    'Return a value, or a promise that is resolved by what the code does.';
  return sandboxFailure('never_settled', message, { logs });
}

function outputOutcome(text: string, logs: Logs): GuestOutcome {
  const bytes = Buffer.byteLength(text);
  if (bytes > sandboxLimits.outputBytes) return tooLarge(`${bytes} bytes`, logs);
  if (nestsDeeper(text, sandboxLimits.outputDepth)) return outputTooDeep(logs);
  return { kind: 'done', text: storable(text), logs };
}

function tooLarge(size: string, logs: Logs): SandboxFailure {
  const message = `The returned value has ${size} as JSON; at most ${sandboxLimits.outputBytes} bytes are kept. Return only what later nodes need.`;
  return sandboxFailure('output_too_large', message, { logs });
}

function outputTooDeep(logs: Logs): SandboxFailure {
  const message = `The returned value nests deeper than ${sandboxLimits.outputDepth} levels; flatten it.`;
  return sandboxFailure('output_too_deep', message, { logs });
}

function tooDeep(place: Place, logs: Logs): SandboxFailure {
  const message = 'The code calls itself, or nests brackets, more deeply than the sandbox can follow.';
  return sandboxFailure('stack', message, { ...place, logs });
}

/** JSON.stringify writes NUL and lone surrogates as escapes, so most texts need not be parsed to know that they have none. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i;

function storable(text: string): string {
  return SUSPICIOUS.test(text) ? JSON.stringify(storableJson(JSON.parse(text))) : text;
}

/** The value could not be made into JSON: it has a cycle, or what it is asked for (`toJSON`, a getter) threw. */
function encodingFailure(described: string, logs: Logs): SandboxFailure {
  const thrown = thrownFailure(described, logs);
  if (thrown.code === 'stack') return outputTooDeep(logs);
  if (thrown.code !== 'threw') return thrown;
  const message = `The returned value can not be made into JSON: ${thrown.message}`;
  return { ...thrown, code: 'not_json', message };
}

interface Place {
  readonly line?: number;
  readonly column?: number;
}

interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly place: Place;
}

function thrownIn(described: string): Thrown {
  const [name = '', message = '', stack = ''] = stringsIn(described);
  const [, line, column] = /\(?code\.js:(\d{1,6}):(\d{1,6})/.exec(stack) ?? [];
  // The first line is the head that we put before the code.
  const place = line === undefined ? {} : { line: Math.max(Number(line) - 1, 1), column: Number(column) };
  return { name: storableText(name), message: storableText(message), place };
}

function stringsIn(json: string): readonly string[] {
  const parts: unknown = JSON.parse(json);
  return Array.isArray(parts)
    ? parts.filter((part) => typeof part === 'string')
    : typeof parts === 'string'
      ? [parts]
      : [];
}

/** The engine's own words; whoever throws an error like it is told what they claim. */
function isOutOfMemory(name: string, message: string): boolean {
  return name === 'InternalError' && message.startsWith('out of memory');
}

function isTooDeep(name: string, message: string): boolean {
  return name === 'InternalError' && message === 'stack overflow';
}
