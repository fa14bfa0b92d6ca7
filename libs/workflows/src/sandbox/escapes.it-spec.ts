import type { SandboxFailureCode } from './sandbox-result';
import { aSandbox } from './testing/a-sandbox';

const { sandbox, logger, run } = aSandbox();
afterAll(() => sandbox.close());

// A busy host takes its time.
jest.setTimeout(60_000);

/** What an attack ends in: this value, one of these failures, or a value that the test looks at no further. */
type Ending = { readonly value: unknown } | readonly SandboxFailureCode[] | 'any value';

const throws = ['threw'] as const;
/** Whichever limit is reached first: that depends on how busy the host is. */
const bounded = ['timeout', 'memory', 'threw', 'stack'] as const;

const attacks: readonly (readonly [name: string, code: string, ending: Ending])[] = [
  // Ways to the host through constructors.
  [
    'the constructor of input',
    'return input.constructor.constructor("return typeof process")()',
    { value: 'undefined' },
  ],
  [
    'the constructor of console',
    'return console.log.constructor("return typeof require + typeof process")()',
    { value: 'undefinedundefined' },
  ],
  [
    'the constructor of an async function',
    'return await (async () => {}).constructor("return this?.process?.env")()',
    { value: null },
  ],
  [
    'the constructor of a generator',
    'return [...(function* () {}).constructor("yield typeof require")()]',
    { value: ['undefined'] },
  ],
  ['this of a sloppy function', 'return Object.keys(Function("return this")()).sort()', { value: [] }],
  [
    'indirect eval',
    'return (0, eval)("typeof process + typeof globalThis.require + typeof module")',
    { value: 'undefinedundefinedundefined' },
  ],
  [
    'a caught error of the host',
    'try { null.x } catch (error) { return error.constructor.constructor("return typeof process")() }',
    { value: 'undefined' },
  ],
  [
    'an error of a host function',
    'try { console.log({ toJSON() { throw console } }) } catch (error) { return "leaked" }',
    { value: null },
  ],
  ['arguments and callers', 'return (function f() { return f.caller })()', throws],
  ['the function itself', 'return arguments.callee', throws],
  // What is not there.
  ['import()', 'return await import("node:fs")', throws],
  ['import() of data', 'return await import("data:text/javascript,export default 1")', throws],
  [
    'globals of hosts',
    `return ["process", "require", "module", "fetch", "setTimeout", "setInterval", "queueMicrotask", "Buffer", "WebAssembly",
    "Worker", "XMLHttpRequest", "crypto", "performance", "navigator", "std", "os", "bjson", "Atomics", "Deno", "Bun", "print", "scriptArgs"]
    .filter((name) => name in globalThis)`,
    { value: [] },
  ],
  [
    'shared memory',
    'const shared = new SharedArrayBuffer(8); return new Uint8Array(shared).length',
    { value: 8 },
  ],
  ['growing a shared memory', 'return new SharedArrayBuffer(2 ** 31)', bounded],
  // Closing the function.
  ['a bracket too many', '}); globalThis.escaped = 1; (async function () {', ['syntax']],
  ['a sequence', '}, globalThis.escaped = 1, async function () {', ['syntax']],
  ['a comment that swallows the tail', 'return 1 /*', ['syntax']],
  ['a template that swallows the tail', 'return `', ['syntax']],
  ['an HTML comment', '<!-- \n return 1', { value: 1 }],
  // Errors.
  ['a getter on an error', 'throw { get message() { for (;;); } }', ['timeout']],
  [
    'a getter that throws',
    'throw { get message() { throw this }, get name() { throw 1 }, get stack() { throw {} }, toString: null }',
    throws,
  ],
  [
    'a name that is no string',
    'throw Object.assign(new Error("x"), { name: Symbol("s"), message: { toString() { return "y" } } })',
    throws,
  ],
  [
    'a proxy as an error',
    'throw new Proxy(new Error("x"), { get() { throw new Error("trap") }, getPrototypeOf() { throw 1 } })',
    throws,
  ],
  ['an endless proxy as an error', 'throw new Proxy({}, { get() { for (;;); } })', ['timeout']],
  [
    'a revoked proxy as an error',
    'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy',
    throws,
  ],
  [
    'a stack that lies',
    'const e = new Error("x"); e.stack = "at code.js:999999:1 ".repeat(1e4); throw e',
    throws,
  ],
  [
    'Error.prepareStackTrace',
    'Error.prepareStackTrace = (e, frames) => { for (const f of frames) f.getThis?.().escaped = 1; return frames }; null.x',
    ['syntax', 'threw'],
  ],
  [
    'prepareStackTrace that loops',
    'Error.prepareStackTrace = () => { for (;;); }; null.x',
    ['timeout', 'threw'],
  ],
  [
    'an error that imitates the engine',
    'throw Object.assign(new Error("interrupted"), { name: "InternalError" })',
    throws,
  ],
  ['a very long message', 'throw new Error("x".repeat(1e6))', throws],
  ['catching the deadline', 'for (;;) { try { for (;;); } catch {} finally { continue } }', ['timeout']],
  [
    'catching the deadline in promises',
    'const again = async () => { try { for (;;); } finally { await again() } }; await again()',
    bounded,
  ],
  // Promises.
  ['endless microtasks', 'const next = () => Promise.resolve().then(next); await next()', bounded],
  [
    'a thousand branches of promises',
    'const grow = async () => { await 0; grow(); grow() }; await grow(); await new Promise(() => {})',
    bounded,
  ],
  ['a thenable that never answers', 'return { then() {} }', ['never_settled']],
  ['a thenable that answers itself', 'const t = { then(done) { done(t) } }; return t', bounded],
  [
    'a changed Promise.prototype.then',
    'Promise.prototype.then = () => { for (;;); }; return await 1',
    'any value',
  ],
  [
    'a changed Promise',
    'globalThis.Promise = class { then() { throw 1 } }; return (async () => 2)()',
    { value: 2 },
  ],
  [
    'an async generator without end',
    'async function* g() { for (;;) yield 1 } for await (const x of g());',
    bounded,
  ],
  ['a rejection that nobody handles', 'Promise.reject(new Error("lost")); return 1', { value: 1 }],
  // The result.
  ['a getter that loops in the result', 'return { get a() { for (;;); } }', ['timeout']],
  [
    'a getter that bombs in the result',
    'let d = 0; const bomb = () => ({ get a() { return d++ < 1e9 ? bomb() : 1 } }); return bomb()',
    ['output_too_deep', 'memory', 'timeout'],
  ],
  ['a proxy as the result', 'return new Proxy({ a: 1 }, {})', { value: { a: 1 } }],
  ['a proxy with endless keys', 'return new Proxy({}, { ownKeys() { for (;;); } })', ['timeout']],
  [
    'a proxy that lies about its length',
    'return new Proxy([], { get(t, k) { return k === "length" ? 2 ** 32 : 1 } })',
    ['timeout', 'memory', 'output_too_large'],
  ],
  ['a toJSON that loops', 'return { toJSON() { for (;;); } }', ['timeout']],
  ['a toJSON that throws', 'return { toJSON() { throw new Error("no") } }', ['not_json']],
  ['a toJSON that gives itself', 'return { toJSON() { return this } }', ['not_json']],
  [
    'a toJSON on Object.prototype',
    'Object.prototype.toJSON = () => "forged"; return { a: 1 }',
    { value: 'forged' },
  ],
  [
    'a toJSON on String.prototype',
    'String.prototype.toJSON = () => "forged"; throw new Error("kept")',
    throws,
  ],
  [
    'a changed JSON.stringify',
    'JSON.stringify = () => "done\\n1"; JSON.parse = null; return { a: 2 }',
    { value: { a: 2 } },
  ],
  ['BigInt in the result', 'return { a: 1n }', ['not_json']],
  ['a toJSON on BigInt.prototype', 'BigInt.prototype.toJSON = () => 7; return 1n', { value: 7 }],
  ['symbols in the result', 'return { [Symbol("key")]: 1, a: Symbol("value") }', ['not_json']],
  ['a cycle in the result', 'const a = []; a.push(a); return a', ['not_json']],
  [
    'very deep JSON out',
    'let a = []; for (let i = 0; i < 2e5; i++) a = [a]; return a',
    ['output_too_deep', 'memory', 'timeout'],
  ],
  ['very deep JSON within', 'return JSON.parse("[".repeat(1e6) + "]".repeat(1e6))', bounded],
  [
    'a million keys',
    'const o = {}; for (let i = 0; i < 1e6; i++) o["k" + i] = i; return o',
    ['output_too_large', 'memory', 'timeout'],
  ],
  [
    '__proto__ in the result',
    'return JSON.parse(\'{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\')',
    'any value',
  ],
  [
    'a result of half characters',
    'return ["\\ud800", "\\udc00\\ud800"]',
    { value: ['\uFFFD', '\uFFFD\uFFFD'] },
  ],
  // Prototypes and globals, which the next execution must not see.
  ['Object.prototype', 'Object.prototype.polluted = 1; Array.prototype.push = null; return 1', { value: 1 }],
  [
    'setters on Array.prototype',
    'Object.defineProperty(Array.prototype, "0", { set() { throw 1 } }); console.log("a", "b"); return 1',
    { value: 1 },
  ],
  [
    'Function.prototype.call',
    'Function.prototype.call = Function.prototype.apply = () => { throw 1 }; console.log("a"); return {}',
    { value: {} },
  ],
  [
    'Symbol.hasInstance',
    'Object.defineProperty(Promise, Symbol.hasInstance, { value() { throw 1 } }); return {}',
    { value: {} },
  ],
  [
    'globalThis',
    'for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {} return 1',
    { value: 1 },
  ],
  [
    'a frozen world',
    'for (const name of Object.getOwnPropertyNames(globalThis)) try { Object.freeze(globalThis[name]) } catch {} return 1',
    { value: 1 },
  ],
  [
    'Date and chance',
    'Date.now = () => 1; Math.random = () => 2; globalThis.Date = null; return 1',
    { value: 1 },
  ],
  // Time.
  ['a loop', 'for (;;);', ['timeout']],
  ['a regex that backtracks', 'return /^(a+)+$/.test("a".repeat(40) + "b")', ['timeout']],
  ['another regex that backtracks', 'return /(x+x+)+y/.test("x".repeat(60))', ['timeout']],
  ['a sort that never ends', 'return [2, 1].sort(() => { for (;;); })', ['timeout']],
  ['a loop inside a built-in', 'return new Array(2 ** 30).join("abc")', ['timeout', 'memory']],
  ['a sparse array that is sorted', 'const a = []; a[4e9] = 1; a.sort(); return a.length', ['timeout']],
  ['huge BigInts', 'let x = 3n; for (;;) x = x * x', bounded],
  // Memory.
  ['an allocation loop', 'const a = []; for (;;) a.push(new Array(1000).fill(1))', ['memory', 'timeout']],
  [
    'an allocation loop that catches',
    'const a = []; for (;;) try { a.push(new Array(1000).fill(1)) } catch {}',
    ['timeout', 'memory'],
  ],
  ['a string that doubles', 'let s = "x"; for (;;) s += s', bounded],
  ['a huge string', 'return "x".repeat(2 ** 29)', bounded],
  ['a huge array', 'return new Array(2 ** 32 - 1).fill(0)', bounded],
  ['a huge buffer', 'return new ArrayBuffer(2 ** 31)', bounded],
  ['a log without end', 'for (;;) console.log("x".repeat(1e5))', bounded],
  // Depth.
  ['recursion', 'const f = () => f() + 1; return f()', ['stack']],
  ['recursion that catches', 'const f = () => { try { f() } finally { f() } }; f()', bounded],
  ['recursion through toString', 'const o = { toString() { return `${o}` } }; return `${o}`', ['stack']],
  ['recursion through a getter', 'const o = { get x() { return o.x } }; return o.x', ['stack']],
  ['recursion through a constructor', 'class A { constructor() { return new A() } } new A()', ['stack']],
  [
    'recursion through replace',
    'return "a".replace(/a/, function f() { return "a".replace(/a/, f) })',
    ['stack'],
  ],
  ['recursion through a generator', 'function* g() { yield* g() } return [...g()]', ['stack']],
  [
    'proxies of proxies',
    'let p = {}; for (let i = 0; i < 2e4; i++) p = new Proxy(p, {}); return p.x',
    bounded,
  ],
  [
    'bound functions of bound functions',
    'let f = () => 1; for (let i = 0; i < 2e4; i++) f = f.bind(null); return f()',
    bounded,
  ],
  [
    'prototypes of prototypes',
    'let p = {}; for (let i = 0; i < 2e4; i++) p = Object.create(p); return p.x ?? 0',
    'any value',
  ],
  ['brackets in eval', 'return eval("(".repeat(3e4) + "1" + ")".repeat(3e4))', bounded],
  ['templates in eval', 'return eval("`${".repeat(1e4) + "}`".repeat(1e4))', bounded],
  ['groups in a regex', 'return new RegExp("(".repeat(5e4) + ")".repeat(5e4))', bounded],
];

/** Everything in the machine that an execution could have changed for the next one. */
const fingerprint = `
  const names = (object) => Reflect.ownKeys(object).map(String).join();
  return [names(globalThis), names(Object.prototype), names(Array.prototype), names(Function.prototype), names(Promise.prototype),
    names(String.prototype), names(Error), names(JSON), typeof escaped, ({}).polluted ?? null, Date.now(), Math.random(),
    Object.isFrozen(Array), typeof [].push, typeof JSON.stringify, String(Function.prototype.call)]`;

/** What of this process an escape could have touched. */
function host(): unknown {
  return {
    globals: Object.getOwnPropertyNames(globalThis),
    prototypes: [Object, Array, Function, Promise, String, Error].map(({ prototype }) =>
      Reflect.ownKeys(prototype),
    ),
    environment: { ...process.env },
    folder: process.cwd(),
    listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
    polluted: ({} as { polluted?: unknown }).polluted,
  };
}

describe('An attack by', () => {
  const hostBefore = host();
  let fresh: unknown;
  beforeAll(async () => {
    fresh = await run(fingerprint);
  });

  test.each(attacks)('%s is contained', async (_name, code, ending) => {
    // What is to end by itself has all the time it wants: this host may be busy.
    const timeoutMs = Array.isArray(ending) && ending.includes('timeout') ? 100 : 10_000;
    const result = await run(code, { input: {}, timeoutMs });
    if (ending === 'any value') expect(result.kind).toBe('done');
    else if ('value' in ending) expect(result).toMatchObject({ kind: 'done', value: ending.value });
    else expect(ending).toContain(result.kind === 'failed' ? result.code : result.kind);
    // The next one finds a world as it was, and so does this process.
    expect(await run(fingerprint)).toEqual(fresh);
    expect(host()).toEqual(hostBefore);
  });

  test('none of them broke a thread in a way that was noticed', () => {
    expect(logger.lines).toEqual([]);
  });

  test('more than sixty different ones was tried', () => {
    expect(new Set(attacks.map(([, code]) => code)).size).toBeGreaterThan(60);
  });
});
