/**
 * What one expression may take. Without the first two an endless recursion holds the event loop for good, because an
 * evaluation is a chain of microtasks and timers never get a turn. Depth and length of sequences are options of JSONata.
 */
export const expressionLimits = {
  /** Of computing, not of the clock on the wall: on a busy host an innocent run must not fail. */
  cpuMs: 100,
  stackDepth: 300,
  sequenceLength: 100_000,
  /** Of the text between `{{` and `}}`. */
  sourceLength: 16_384,
  /** Of brackets in the text; the parser is recursive. */
  nesting: 100,
  /** Of the syntax tree, after the copies which `??` and `?:` make of their left side. */
  syntaxNodes: 10_000,
  /** Characters of any string that an expression makes, also on the way to its result. */
  stringLength: 1_048_576,
  /** Size of any value on the way, when written as JSON with nothing shared: 2^24 is about 16 MB. */
  valueWeight: 16_777_216,
  /** Nesting of any value on the way. */
  valueDepth: 200,
  regexLength: 1_000,
  /** Instructions of a regex times characters of the text; 10^7 took 0.4 s at worst. */
  regexWork: 10_000_000,
} as const;

/** Thrown from inside an evaluation when it exceeds one of the limits. JSONata adds `position`. */
export class LimitExceeded extends Error {
  position?: number;
}
