import { isNativeError } from 'node:util/types';
import { Script } from 'node:vm';

/** Where code is no body of a function, and why. `line` and `column` begin at 1; unknown where the parser gave up. */
export interface SyntaxFault {
  readonly message: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

/** What stands before the code, on a line of its own, wherever it is compiled. */
export const codeHead = '(async function (input) {"use strict";\n';
/** What stands behind it. The line break ends a comment in the last line. */
export const codeTail = '\n})';

const fileName = 'code.js';

/** The constructor of async functions, which has no global name. */
const { constructor: AsyncFunction } = async () => undefined;

/**
 * What is wrong with customers' code as the body of an async function, or undefined. It is parsed and never run: the
 * constructor of functions evaluates a function literal, and refuses a body that closes the literal early, as
 * `}); evil(); (async function () {` would.
 */
export function syntaxFault(code: string): SyntaxFault | undefined {
  try {
    Reflect.construct(AsyncFunction, ['input', `"use strict";\n${code}`]);
    return undefined;
  } catch (error) {
    const message = isTooDeep(error)
      ? tooDeep
      : 'It closes the function that it is the body of: a bracket too many.';
    return placed(code) ?? { message, line: undefined, column: undefined };
  }
}

/** The same fault with its place, which only scripts tell. A body that closes its function early is a good script. */
function placed(code: string): SyntaxFault | undefined {
  try {
    // Compiles, and nothing more: a script runs when `runInThisContext` is called.
    new Script(codeHead + code + codeTail, { filename: fileName, lineOffset: -1 });
    return undefined;
  } catch (error) {
    const lines = isNativeError(error) ? (error.stack ?? '').split('\n') : [];
    const line = Number(new RegExp(`^${fileName}:(\\d+)$`).exec(lines[0] ?? '')?.[1] ?? Number.NaN);
    const caret = lines.slice(1).find((each) => /^\s*\^+$/.test(each));
    if (Number.isNaN(line)) return undefined;
    // A fault that shows itself behind the code, as a missing brace, is put at its end.
    const all = code.split('\n');
    const within = line >= 1 && line <= all.length;
    return {
      message: messageOf(error),
      line: within ? line : all.length,
      column: within ? (caret?.indexOf('^') ?? 0) + 1 : (all.at(-1) ?? '').length + 1,
    };
  }
}

const tooDeep = 'It is nested too deeply to be parsed.';

/** The parser ran out of stack. */
function isTooDeep(error: unknown): boolean {
  return isNativeError(error) && error.name === 'RangeError';
}

function messageOf(error: unknown): string {
  if (!isNativeError(error)) return 'It can not be parsed.';
  return isTooDeep(error) ? tooDeep : `${error.message}.`;
}
