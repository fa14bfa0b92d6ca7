const KIB = 1024;
const MIB = 1024 * KIB;

/** What one execution of customers' code may take. The README says what holds each of them. */
export const sandboxLimits = {
  /** Of the code, in UTF-8. */
  codeBytes: 64 * KIB,
  /** Of the input, as JSON. Room for an event of the largest body that is accepted, with its headers. */
  inputBytes: 2 * MIB,
  /** Of the output, as JSON: as much as is kept of a node. */
  outputBytes: MIB,
  outputDepth: 64,
  logLines: 100,
  /** Of all lines of the log together. */
  logCharacters: 16 * KIB,
  /** Of the message of an error. */
  messageCharacters: 1_000,
  minTimeoutMs: 1,
  maxTimeoutMs: 10_000,
  minMemoryBytes: 16 * MIB,
  maxMemoryBytes: 64 * MIB,
  /**
   * Of the interpreter's own stack. From 256 KiB on, deep recursion in the code used up the host's stack before the
   * interpreter noticed.
   */
  stackBytes: 64 * KIB,
  /** The linear memory that the engine has for itself, its stack and its built-in objects: 5.2 MiB were measured. */
  engineBytes: 5 * MIB + 256 * KIB,
  /**
   * How long after its deadline a thread is given to notice. Loops inside built-in functions (`Array(2 ** 30).join()`
   * took 40 s) look at no clock; then the thread is killed.
   */
  graceMs: 300,
  /** A thread is up in a tenth of a second; on a host that swaps it may take long. */
  startMs: 30_000,
  /** Executions that wait for a thread. They are references to values that their runs hold anyway. */
  queueLength: 10_000,
  /** Of these, how many may be of one workspace. */
  queueLengthPerWorkspace: 5_000,
} as const;
