/** What a schema of a customer may be, and what checking one value by it may take. */
export const payloadSchemaLimits = {
  /** Of the schema, written as JSON. */
  bytes: 65_536,
  /** Of brackets inside one another. */
  depth: 64,
  subschemas: 2_000,
  /** Of all patterns together, once they are compiled: `\p{L}{1000}` is short and has thousands. */
  patternInstructions: 10_000,
  /** What is reported of one value. */
  findings: 20,
  /** Rules asked, members looked at, a share of every text read. The worst that was found took 0.4 s. */
  steps: 1_000_000,
  /** Schemas inside one another while a value is checked; each takes some of the stack. */
  levels: 1_000,
  /** Compiled schemas that are kept. */
  cached: 64,
} as const;
