import { createHash } from 'node:crypto';
import { sandboxLimits } from './limits';

/**
 * The first script of every execution, inside the virtual machine and before the customer's code. It takes away what
 * would differ when the execution is repeated, gives `console`, and returns the functions by which the host reads what
 * came of the code. It runs in the customer's world: what it needs later it takes hold of now, because by then any
 * global and any prototype may have been changed. Whatever it says is therefore checked by the host as well.
 *
 * It is text because it is compiled by the engine of the virtual machine, not by ours.
 */
export const preludeSource = `(function (log, configText) {
  'use strict';
  const { parse, stringify } = JSON;
  const { construct, apply } = Reflect;
  const NativeDate = Date;
  const NativeString = String;
  const dateText = NativeDate.prototype.toString;
  const sliced = NativeString.prototype.slice;
  const isPrototypeOf = Object.prototype.isPrototypeOf;
  const promises = Promise.prototype;
  const { nowMs, seed, logLines, logCharacters, messageCharacters, outputCharacters } = parse(configText);
  const isFinite = Number.isFinite;
  const short = (text, length) => apply(sliced, text, [0, length]);

  // The time of the run, for ever.
  function FrozenDate(...parts) {
    if (new.target === undefined) return apply(dateText, new NativeDate(nowMs), []);
    return construct(NativeDate, parts.length === 0 ? [nowMs] : parts, new.target);
  }
  const own = { writable: true, enumerable: false, configurable: true };
  Object.defineProperties(FrozenDate, {
    name: { value: 'Date', configurable: true },
    length: { value: 7, configurable: true },
    prototype: { value: NativeDate.prototype, writable: false },
    now: { ...own, value: function now() { return nowMs; } },
    parse: { ...own, value: NativeDate.parse },
    UTC: { ...own, value: NativeDate.UTC },
  });
  NativeDate.prototype.constructor = FrozenDate;
  globalThis.Date = FrozenDate;

  // sfc32: 53 bits of two turns.
  let [a, b, c, d] = seed;
  const turn = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) turn();
  Math.random = function random() { return (turn() * 2097152 + (turn() >>> 11)) / 9007199254740992; };

  let lines = 0;
  let characters = 0;
  const shown = (value) => {
    try {
      if (typeof value === 'string') return value;
      if (typeof value !== 'object' || value === null) return NativeString(value);
      if (apply(isPrototypeOf, Error.prototype, [value])) return NativeString(value);
      return stringify(value) ?? NativeString(value);
    } catch {
      return '[unprintable]';
    }
  };
  const write = function (...values) {
    if (lines >= logLines || characters >= logCharacters) return;
    let text = '';
    for (let i = 0; i < values.length && text.length < logCharacters; i++) text += (i === 0 ? '' : ' ') + shown(values[i]);
    text = short(text, logCharacters - characters);
    lines++;
    // An empty line counts as well.
    characters += text.length + 1;
    log(stringify(text));
  };
  const console = {};
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = (...values) => write(...values);
  Object.defineProperty(globalThis, 'console', { ...own, value: console });

  const read = (get) => {
    try {
      const value = get();
      return value === undefined ? '' : short(NativeString(value), messageCharacters);
    } catch {
      return '';
    }
  };
  // Only strings are made into JSON here: an object would be asked for a toJSON that the code put on a prototype.
  const describe = (error) => {
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
    const name = isObject ? read(() => error.name) : '';
    const stack = isObject ? read(() => error.stack) : '';
    let message = isObject ? read(() => error.message) : read(() => error === undefined ? 'undefined' : error);
    if (isObject && message === '') message = read(() => shown(error));
    return '[' + stringify(name) + ',' + stringify(message) + ',' + stringify(stack) + ']';
  };

  let refusal = '';
  const refuse = (key, what) => {
    const member = key === '' ? 'The returned value' : 'The member "' + short(key, 100) + '" of the returned value';
    refusal = member + ' is ' + what;
    throw new TypeError(refusal);
  };
  const checked = (key, value) => {
    if (typeof value === 'function') refuse(key, 'a function, which JSON cannot hold.');
    if (typeof value === 'symbol') refuse(key, 'a symbol, which JSON cannot hold.');
    if (typeof value === 'bigint') refuse(key, 'a BigInt, which JSON cannot hold; make it a number or a string.');
    if (typeof value === 'number' && !isFinite(value)) refuse(key, NativeString(value) + ', which is no JSON number.');
    if (typeof value === 'object' && value !== null && apply(isPrototypeOf, promises, [value])) {
      refuse(key, 'a promise; await it.');
    }
    return value;
  };
  const encode = (value) => {
    if (value === undefined) return 'done\\nnull';
    try {
      const text = stringify(value, checked);
      if (text === undefined) return 'done\\nnull';
      if (text.length > outputCharacters) return 'output_too_large\\n' + text.length;
      return 'done\\n' + text;
    } catch (error) {
      if (refusal !== '') return 'not_json\\n' + stringify(refusal);
      return 'failed\\n' + describe(error);
    }
  };
  return { __proto__: null, parse, encode, describe };
})`;

/** What the prelude is told, as JSON. */
export function preludeConfig({ nowMs, seed }: { readonly nowMs: number; readonly seed: string }): string {
  const digest = sha256(seed);
  return JSON.stringify({
    nowMs,
    seed: [0, 4, 8, 12].map((at) => digest.readInt32LE(at)),
    logLines: sandboxLimits.logLines,
    logCharacters: sandboxLimits.logCharacters,
    messageCharacters: sandboxLimits.messageCharacters,
    outputCharacters: sandboxLimits.outputBytes,
  });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
