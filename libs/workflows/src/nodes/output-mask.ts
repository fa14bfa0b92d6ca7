import type { JsonObject, JsonValue } from '../definition/json';

/**
 * Takes secrets out of what a node gives back. The engine masks every outcome as a whole; a kind that cuts what it was
 * answered must mask before, because what is left of a secret afterwards is not found any more.
 */
export interface OutputMask {
  text(text: string): string;
  json(value: JsonValue): JsonValue;
  object(value: JsonObject): JsonObject;
}

/** For a run without secrets. */
export const noMask: OutputMask = {
  text: (text) => text,
  json: (value) => value,
  object: (value) => value,
};
