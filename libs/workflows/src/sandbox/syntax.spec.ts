import { syntaxFault } from './syntax';

/** Set by code that is run where it should only have been parsed. */
interface Tripwire {
  millraceTripped?: string;
}
const tripwire = globalThis as Tripwire;

afterEach(() => {
  delete tripwire.millraceTripped;
});

describe('Code is good', () => {
  test.each([
    [''],
    ['return 1'],
    ['// only a comment'],
    ['return {a: {b: {}}}'],
    ['{{ a: 1 }}'],
    ['await null; return await input'],
    ['return `}); ${1}`'],
    ["return '})'"],
    ['return /}\\)/.test(input)'],
    ['for await (const x of input) { return x }'],
    ['return import("fs")'],
    ['\u2028return "\u2029"'],
  ])('as %j', (code) => {
    expect(syntaxFault(code)).toBeUndefined();
  });
});

describe('Code is refused with its place', () => {
  test.each([
    ['let a = ;', 1, 9],
    ['const a = 1\n  const b = = 2\nreturn a', 2, 13],
    ['\n\n\tlet let = 1', 3, 6],
    ['const a = 1; const a = 2', 1, 20],
    ['return (() => {', 1, 16],
    ['if (input) {\n  return 1\n', 3, 1],
    ['with (input) {}', 1, 1],
    ['import fs from "fs"', 1, 1],
    ['return import.meta', 1, 15],
    ['return "\u{1F600}" let', 1, 13],
  ])('as %j at line %i, column %i', (code, line, column) => {
    expect(syntaxFault(code)).toMatchObject({ line, column });
  });

  test('with words that say what is wrong', () => {
    expect(syntaxFault('let a = ;')?.message).toBe("Unexpected token ';'.");
  });

  test('also when it is nested more deeply than a parser can follow', () => {
    expect(syntaxFault(`${'('.repeat(30_000)}1${')'.repeat(30_000)}`)?.message).toMatch(/too deeply/);
  });
});

// Each of these is a whole program when it is put between the head and the tail of a function, and would run then.
const evil = 'globalThis.millraceTripped = "ran"';
const breakouts: readonly (readonly [string])[] = [
  [`}); ${evil}; (async function () {`],
  [`}, ${evil}, async function () {`],
  [`}) ; ${evil} //`],
  [`})\n${evil}\n;({async x() {`],
  [`} [${evil}] = async function () {`],
  [`}\n)(${evil});(async () => {`],
  [`}(${evil})); (function () {`],
  [`}\`\${${evil}}\`); (function () {`],
  [`}); ${evil}; /*`],
  [`*/ }); ${evil}; (function () { /*`],
  [`}) => ${evil}; ((a = {`],
  [`}); ${evil}; ({`],
];

describe('Code that closes its function early', () => {
  test.each(breakouts)('is refused, and nothing of it runs: %j', (code) => {
    expect(syntaxFault(code)?.message).toBeDefined();
    expect(tripwire.millraceTripped).toBeUndefined();
  });

  test('would run if it were put between head and tail and evaluated', () => {
    // The control: without the check of the function's end, the first of them does what it wants.
    // oxlint-disable-next-line eslint/no-eval -- shows what is prevented
    (0, eval)(`(async function (input) {\n${breakouts[0]?.[0] ?? ''}\n})`);
    expect(tripwire.millraceTripped).toBe('ran');
  });
});

describe('Parsing', () => {
  test.each([
    [evil],
    [`(() => { ${evil} })()`],
    [`class A { static { ${evil} } static x = (${evil}) }`],
    [`function f(a = (${evil})) {} f()`],
    [`eval('${evil.replaceAll('"', '\\"')}')`],
    [`return \`\${${evil}}\``],
  ])('runs nothing of %j', (code) => {
    expect(syntaxFault(code)).toBeUndefined();
    expect(tripwire.millraceTripped).toBeUndefined();
  });
});
