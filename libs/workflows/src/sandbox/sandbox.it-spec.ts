import type { JsonValue } from '../definition/json';
import { sandboxLimits } from './limits';
import { aSandbox } from './testing/a-sandbox';

// Threads are killed in the specs of the pool; here they shall have the time to say what they have.
const { sandbox, logger, run } = aSandbox({ graceMs: 60_000 });
afterAll(() => sandbox.close());

// A busy host takes its time.
jest.setTimeout(60_000);

/** An array in an array, so many times. */
function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

describe('Code', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['return input', { a: [1, 'é', null, true, { b: 1.5 }] }, { a: [1, 'é', null, true, { b: 1.5 }] }],
    ['return input.map((x) => x * 2)', [1, 2], [2, 4]],
    ['', null, null],
    ['return', null, null],
    ['return await Promise.all([1, Promise.resolve(2)])', null, [1, 2]],
    ['return Promise.resolve(3)', null, 3],
    ['return { then(done) { done(4) } }', null, 4],
    ['const { a = 1 } = input; return a', {}, 1],
    ['return { a: undefined, b: [undefined] }', null, { b: [null] }],
    ['return new Date()', null, '2026-01-02T03:04:05.678Z'],
    ['return 1 // the end', null, 1],
    ['return "{{ trigger.body }}"', null, '{{ trigger.body }}'],
    ['return input', '\u{1F600}\u2028', '\u{1F600}\u2028'],
  ])('%j gives what it returns', async (code, input, value) => {
    expect(await run(code, { input })).toEqual({ kind: 'done', value, logs: [] });
  });

  test('sees __proto__ in its input as data, and gives it back as data', async () => {
    const input = JSON.parse('{"__proto__": {"a": 1}}');
    const result = await run('return { seen: Object.keys(input), back: input, polluted: ({}).a ?? null }', {
      input,
    });
    expect(JSON.stringify(result)).toBe(
      '{"kind":"done","value":{"seen":["__proto__"],"back":{"__proto__":{"a":1}},"polluted":null},"logs":[]}',
    );
  });

  test('gives text that can be stored: NUL and lone surrogates become U+FFFD, in keys as well', async () => {
    expect(
      await run(String.raw`console.log("\0"); return { "a\0": "\0x\ud800y\udc00", b: "\u{1F600}\\u0000" }`),
    ).toEqual({
      kind: 'done',
      value: { 'a\uFFFD': '\uFFFDx\uFFFDy\uFFFD', b: '\u{1F600}\\u0000' },
      logs: ['\uFFFD'],
    });
  });

  test('is strict, so that a misspelt name is an error', async () => {
    expect(await run('total = 1')).toMatchObject({ code: 'threw', line: 1 });
  });
});

describe('A repetition', () => {
  const code = `
    const first = Date.now();
    for (let i = 0; i < 1e5; i++);
    return [Date.now() - first, Date.now(), new Date().getTime(), Date(), new Date(2026, 0, 1).getTime(),
      new Date().getTimezoneOffset()]`;
  const chance = 'return [Math.random(), Math.random(), [3, 1, 2].sort(() => Math.random() - 0.5)]';

  test('computes the same, and time stands still in it', async () => {
    const first = await run(code);
    expect(await run(code)).toEqual(first);
    expect(await run(chance)).toEqual(await run(chance));
    expect(first).toMatchObject({
      value: [
        0,
        1767323045678,
        1767323045678,
        expect.stringMatching(/^Fri Jan 02 2026 03:04:05 GMT\+0000/),
        1767225600000,
        0,
      ],
    });
  });

  test('of another seed has another chance, and each number is between 0 and 1', async () => {
    const numbers = 'return Array.from({ length: 1000 }, Math.random)';
    const [one, other] = [await run(numbers), await run(numbers, { seed: 'run:other' })];
    expect(one).not.toEqual(other);
    if (one.kind !== 'done') throw new Error(one.message);
    const values = one.value as readonly number[];
    expect(new Set(values).size).toBe(1000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.55);
  });

  test('has no other date to be found', async () => {
    expect(
      await run(`class Mine extends Date {}
        return [new Date().constructor === Date, new Mine().getTime(), new Mine(5).getTime(), Date.length, Date.name,
          Date.UTC(2026), Date.parse('2026-01-01T00:00:00Z'), Object.getPrototypeOf(Date) === Function.prototype]`),
    ).toMatchObject({
      value: [true, 1767323045678, 5, 7, 'Date', 1767225600000, 1767225600000, true],
    });
  });
});

describe('The log', () => {
  test('has what was printed, also of code that fails', async () => {
    const code =
      'console.log("a", { b: 1 }, [1], 2n, undefined); console.error(new TypeError("x")); console.log()';
    const logs = ['a {"b":1} [1] 2 undefined', 'TypeError: x', ''];
    expect(await run(code)).toEqual({ kind: 'done', value: null, logs });
    expect(await run(`${code}; throw 1`)).toMatchObject({ kind: 'failed', logs });
    expect(await run(`${code}; for (;;);`, { timeoutMs: 100 })).toMatchObject({ code: 'timeout', logs });
  });

  test('has at most so many lines', async () => {
    const result = await run(`for (let i = 0; i < ${sandboxLimits.logLines + 1}; i++) console.log(i)`);
    expect(result.logs).toHaveLength(sandboxLimits.logLines);
    expect(result.logs.at(-1)).toBe(String(sandboxLimits.logLines - 1));
  });

  test('has at most so many characters', async () => {
    const { logs } = await run('for (;;) { console.log("x".repeat(1000)); if (!--input.n) return }', {
      input: { n: 50 },
    });
    expect(logs.join('\n')).toHaveLength(sandboxLimits.logCharacters);
    expect((await run('console.log("x".repeat(1e6))')).logs).toEqual([
      'x'.repeat(sandboxLimits.logCharacters),
    ]);
  });
});

describe('What fails', () => {
  test.each<[string, string, string, number | undefined]>([
    ['\n\nnull.x', 'threw', "TypeError: cannot read property 'x' of null", 3],
    ['throw new RangeError("a\\0b")', 'threw', 'RangeError: a\uFFFDb', 1],
    ['function f() {\n  throw new Error("deep")\n}\nawait f()', 'threw', 'Error: deep', 2],
    ['throw "text"', 'threw', 'text', undefined],
    ['throw null', 'threw', 'null', undefined],
    ['throw undefined', 'threw', 'undefined', undefined],
    ['throw { message: "mine", a: 1 }', 'threw', 'mine', undefined],
    ['throw { a: 1 }', 'threw', '{"a":1}', undefined],
    ['return Promise.reject(new Error("no"))', 'threw', 'Error: no', 1],
    ['let a = ;', 'syntax', "Unexpected token ';'.", 1],
    ['return 1n', 'not_json', 'The returned value is a BigInt', undefined],
    ['return () => 1', 'not_json', 'The returned value is a function', undefined],
    ['return Symbol("x")', 'not_json', 'The returned value is a symbol', undefined],
    [
      'return { a: { fn() {} } }',
      'not_json',
      'The member "fn" of the returned value is a function',
      undefined,
    ],
    ['return [NaN]', 'not_json', 'The member "0" of the returned value is NaN', undefined],
    [
      'return { p: Promise.resolve(1) }',
      'not_json',
      'The member "p" of the returned value is a promise; await it.',
      undefined,
    ],
    ['const a = {}; a.a = a; return a', 'not_json', 'circular', undefined],
    ['await new Promise(() => {})', 'never_settled', 'waits for a promise', undefined],
    ['const f = () => f(); f()', 'stack', 'calls itself', 1],
  ])('%j says so', async (code, failure, ...[message, line]) => {
    const result = await run(code);
    expect(result).toMatchObject({
      kind: 'failed',
      code: failure,
      message: expect.stringContaining(message),
    });
    expect('line' in result ? result.line : undefined).toBe(line);
  });

  test('has the message cut, however long', async () => {
    const result = await run('throw new Error("x".repeat(1e6))');
    expect(result).toHaveProperty('message', `Error: ${'x'.repeat(sandboxLimits.messageCharacters)}`);
  });
});

describe('At the limit, and one beyond it,', () => {
  test('outputs by their size', async () => {
    const fits = sandboxLimits.outputBytes - 2;
    expect(await run(`return "x".repeat(${fits})`)).toMatchObject({ kind: 'done' });
    expect(await run(`return "x".repeat(${fits + 1})`)).toMatchObject({ code: 'output_too_large' });
    // Bytes, not characters.
    expect(await run(`return "é".repeat(${fits / 2})`)).toMatchObject({ kind: 'done' });
    expect(await run(`return "é".repeat(${fits / 2}) + "x"`)).toMatchObject({ code: 'output_too_large' });
  });

  test('outputs by their depth', async () => {
    expect(await run(`return JSON.parse("${nested(64)}")`)).toMatchObject({ kind: 'done' });
    expect(await run(`return JSON.parse("${nested(65)}")`)).toMatchObject({ code: 'output_too_deep' });
    expect(await run('let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a')).toMatchObject({
      code: 'output_too_deep',
    });
  });

  test('inputs by their size', async () => {
    const fits = sandboxLimits.inputBytes - 2;
    expect(await run('return input.length', { input: 'x'.repeat(fits) })).toMatchObject({ value: fits });
    expect(await run('return input.length', { input: 'x'.repeat(fits + 1) })).toMatchObject({
      code: 'input_too_large',
    });
  });

  test('inputs as deep as bodies may be', async () => {
    expect(
      await run('return JSON.stringify(input).length', { input: JSON.parse(nested(100)) }),
    ).toMatchObject({ value: 200 });
  });

  test('memory', async () => {
    const MIB = 1024 * 1024;
    const fill = (mib: number) =>
      `const kept = []; for (let i = 0; i < ${mib}; i++) kept.push(new Uint8Array(${MIB}).fill(1)); return kept.length`;
    expect(await run(fill(15))).toMatchObject({ value: 15 });
    expect(await run(fill(17))).toMatchObject({ code: 'memory' });
    expect(await run(fill(62), { memoryBytes: 64 * MIB })).toMatchObject({ value: 62 });
    expect(await run(fill(65), { memoryBytes: 64 * MIB })).toMatchObject({ code: 'memory' });
    // Failed when the engine's own limit was relied upon, which does not see how large an allocation is.
    expect(await run('const kept = []; for (;;) kept.push(new Array(1000).fill(1))')).toMatchObject({
      code: 'memory',
    });
  });
});

describe('The host', () => {
  test('goes on with other work while code loops', async () => {
    // Code that was evaluated on this thread would be over, or loop for ever, before anything else had its turn.
    const order: string[] = [];
    const looping = run('for (;;);', { timeoutMs: 200 }).then(({ kind }) => order.push(kind));
    await new Promise<void>((resolve) => setImmediate(() => resolve(void order.push('other work'))));
    await looping;
    expect(order).toEqual(['other work', 'failed']);
  });

  test('says nothing in its log about what customers do', () => {
    expect(logger.lines).toEqual([]);
  });
});
