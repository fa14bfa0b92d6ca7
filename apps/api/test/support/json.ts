/** Parsed JSON of any shape, as `JSON.parse` types it: a test says what it expects of it. */
export type Json = ReturnType<typeof JSON.parse>;
