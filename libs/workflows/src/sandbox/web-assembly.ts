/**
 * The little of WebAssembly that is used here: the types of Node do not have it, and those of browsers would bring a
 * thousand globals that are not there.
 */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
}

/** A linear memory. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

declare const WebAssembly: WebAssemblyApi;

/** A compiled module. */
export type WasmModule = object;

const PAGE_BYTES = 64 * 1024;

/** Compiles, which takes some hundredths of a second: once per thread. */
export function compileWasm(bytes: Uint8Array): WasmModule {
  return new WebAssembly.Module(bytes);
}

/** A linear memory that never grows. The system gives the pages when they are first written to. */
export function fixedMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** How much of the end of a memory is looked at: more than a heap that could not grow any more may have left. */
const END_BYTES = 1024 * 1024;

/** Whether a fixed memory has been used up to its end at some time: it began as zeros, and heaps grow upwards. */
export function wasUsedUp({ buffer }: WasmMemory): boolean {
  return new Uint8Array(buffer).subarray(-END_BYTES).some((byte) => byte !== 0);
}
