import { expressionLimits } from './limits';

/** A string of the params, cut into what stands for itself and what is computed. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  /** `start` is the offset of `source` in the string. */
  | { readonly kind: 'expression'; readonly source: string; readonly start: number };

export type TemplateScan =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly message: string; readonly position: number };

/**
 * Cuts a string at its `{{ … }}`. `\{{` stands for a literal `{{`. The end of an expression is found by reading
 * it as JSONata does, so that `}}` inside a string, a comment, a regex or nested objects does not end it.
 */
export function scanTemplate(text: string): TemplateScan {
  const parts: TemplatePart[] = [];
  let literal = '';
  let at = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', at)) {
    if (text[open - 1] === '\\' && open > at) {
      literal += `${text.slice(at, open - 1)}{{`;
      at = open + 2;
      continue;
    }
    literal += text.slice(at, open);
    const end = expressionEnd(text, open + 2);
    if (end === undefined) {
      return {
        ok: false,
        message: 'The `{{` is never closed by `}}`. Write `\\{{` for two literal braces.',
        position: open,
      };
    }
    if (literal !== '') parts.push({ kind: 'text', text: literal });
    literal = '';
    parts.push({ kind: 'expression', source: text.slice(open + 2, end), start: open + 2 });
    at = end + 2;
  }
  literal += text.slice(at);
  if (literal !== '') parts.push({ kind: 'text', text: literal });
  return { ok: true, parts };
}

/** Says why a source is too much for the parser, or nothing. Asked before JSONata's parser is let near it. */
export function parserOverload(source: string): string | undefined {
  if (source.length > expressionLimits.sourceLength) {
    return `It has ${source.length} characters; ${expressionLimits.sourceLength} are allowed.`;
  }
  const weight = new SyntaxWeight();
  for (const token of tokens(source, 0)) weight.add(token.text);
  if (weight.deepest > expressionLimits.nesting) {
    return `Its brackets are nested ${weight.deepest} deep; ${expressionLimits.nesting} levels are allowed.`;
  }
  return weight.total() > expressionLimits.syntaxNodes
    ? 'It is too large, or nests `??` or `?:` too deeply on the left side: name parts of it with `$x := …;`.'
    : undefined;
}

function expressionEnd(text: string, start: number): number | undefined {
  let braces = 0;
  for (const token of tokens(text, start)) {
    if (token.text === '{') braces += 1;
    if (token.text !== '}') continue;
    if (braces > 0) braces -= 1;
    else if (text[token.at + 1] === '}') return token.at;
  }
  return undefined;
}

/**
 * Estimates the size of the syntax tree. JSONata's parser copies the left side of `??` and `?:`, so nested as
 * `(((a ?? b) ?? b) ?? b)` a tree doubles with each level: 150 characters would fill the memory.
 */
class SyntaxWeight {
  deepest = 0;
  /** Per open bracket: weight of the finished operands, and of the one being read. */
  private readonly finished: number[] = [0];
  private readonly current: number[] = [0];

  add(token: string): void {
    if (token === '(' || token === '[' || token === '{') this.open();
    else if (token === ')' || token === ']' || token === '}') this.close();
    else if (token === '??' || token === '?:') this.finish(2);
    else if (token === ',' || token === ';' || token === ':' || token === '?' || token === ':=')
      this.finish(1);
    else this.grow(1);
  }

  total(): number {
    return [...this.finished, ...this.current].reduce((sum, weight) => sum + weight, 0);
  }

  private open(): void {
    this.finished.push(0);
    this.current.push(0);
    this.deepest = Math.max(this.deepest, this.current.length - 1);
  }

  private close(): void {
    // A closing bracket too many is a syntax error, which the parser words better than we could.
    if (this.current.length === 1) return;
    const inside = (this.finished.pop() ?? 0) + (this.current.pop() ?? 0);
    this.grow(inside + 1);
  }

  private finish(copies: number): void {
    const level = this.current.length - 1;
    this.finished[level] = (this.finished[level] ?? 0) + copies * ((this.current[level] ?? 0) + 1);
    this.current[level] = 0;
  }

  private grow(weight: number): void {
    const level = this.current.length - 1;
    this.current[level] = (this.current[level] ?? 0) + weight;
  }
}

interface Token {
  readonly text: string;
  readonly at: number;
}

/** JSONata ends a name at an operator or at one of its five blanks, and at nothing else: quotes may be inside. */
const wordPattern = /[^ \t\n\r\v.[\]{}(),@#;:?+\-*/%|=<>^!~&"'`][^ \t\n\r\v.[\]{}(),@#;:?+\-*/%|=<>^!~&]*/y;
const blanks = ' \t\n\r\v';
const longOperators = ['??', '?:', ':=', '**', '..', '!=', '<=', '>=', '~>'] as const;
const wordOperators: ReadonlySet<string> = new Set(['and', 'or', 'in']);

/**
 * The tokens of a JSONata expression, roughly: enough to know where literals end and what is an operand. A `/`
 * begins a regex only where an operand may stand; `*` and `%` are operands themselves in that place.
 */
function* tokens(text: string, start: number): Generator<Token> {
  let afterOperand = false;
  let at = start;
  while (at < text.length) {
    const end = tokenEnd(text, at, afterOperand);
    const token = text.slice(at, end);
    if (!blanks.includes(token) && !token.startsWith('/*')) {
      yield { text: token, at };
      afterOperand = isOperand(token, afterOperand);
    }
    at = end;
  }
}

function tokenEnd(text: string, at: number, afterOperand: boolean): number {
  const character = text[at] ?? '';
  if (character === '"' || character === "'") return stringEnd(text, at);
  if (character === '`') return behind(text, '`', at + 1);
  if (text.startsWith('/*', at)) return behind(text, '*/', at + 2);
  if (character === '/' && !afterOperand) return regexEnd(text, at);
  // `?:` is also how a condition with an empty branch would look, which is no valid expression.
  if (longOperators.some((operator) => text.startsWith(operator, at))) return at + 2;
  wordPattern.lastIndex = at;
  return wordPattern.test(text) ? wordPattern.lastIndex : at + 1;
}

function isOperand(token: string, afterOperand: boolean): boolean {
  const first = token[0] ?? '';
  if (wordOperators.has(token) || token === '*' || token === '%' || token === '**') return !afterOperand;
  if (first === '/' && token.length > 1) return true;
  return ')]}"\'`'.includes(first) || !'.[{(,@#;:?+-/|=<>^!~&'.includes(first);
}

function behind(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found === -1 ? text.length : found + end.length;
}

function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === text[at]) return i + 1;
  }
  return text.length;
}

/** As JSONata reads it: the first `/` that is not escaped and not inside brackets of the pattern. */
function regexEnd(text: string, at: number): number {
  let depth = 0;
  let backslashes = 0;
  for (let i = at + 1; i < text.length; i += 1) {
    const character = text[i] ?? '';
    if (character === '/' && depth === 0 && backslashes % 2 === 0) return i + 1;
    if (backslashes === 0 && '([{'.includes(character)) depth += 1;
    if (backslashes === 0 && ')]}'.includes(character)) depth -= 1;
    backslashes = character === '\\' ? backslashes + 1 : 0;
  }
  return text.length;
}
