import { readFileSync } from 'node:fs';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
} from 'quickjs-emscripten-core';
import { storableText } from '../egress/response-content';
import { sandboxLimits } from './limits';
import {
  brokenFailure,
  encodedOutcome,
  type GuestOutcome,
  neverSettled,
  outOfMemory,
  thrownFailure,
  timedOut,
} from './outcome';
import { preludeConfig, preludeSource } from './prelude';
import { sandboxFailure } from './sandbox-result';
import { codeHead, codeTail, syntaxFault } from './syntax';
import { compileWasm, fixedMemory, type WasmMemory, type WasmModule, wasUsedUp } from './web-assembly';

/** One execution, as a thread is told of it. The input and the output travel as JSON. */
export interface GuestJob {
  readonly code: string;
  readonly inputText: string;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly nowMs: number;
  readonly seed: string;
}

/** Runs customers' code, each execution in a machine of its own. */
export class Guests {
  readonly #module: WasmModule;

  constructor(private readonly monotonicMs: () => number) {
    const path = require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
    this.#module = compileWasm(readFileSync(path));
  }

  /** Executes the code to its end or to its limits. Never rejects. */
  async execute(job: GuestJob): Promise<GuestOutcome> {
    const fault = syntaxFault(job.code);
    if (fault !== undefined) return sandboxFailure('syntax', fault.message, fault);
    const logs: string[] = [];
    const deadline = new GuestDeadline(job.timeoutMs, this.monotonicMs);
    const outcome = await this.#attempt(job, deadline, logs);
    return deadline.isMissed ? timedOut(job.timeoutMs, logs) : outcome;
  }

  async #attempt(job: GuestJob, deadline: GuestDeadline, logs: string[]): Promise<GuestOutcome> {
    try {
      const memory = fixedMemory(sandboxLimits.engineBytes + job.memoryBytes);
      const runtime = await this.#newRuntime(memory);
      deadline.begin();
      runtime.setInterruptHandler(() => deadline.isOver());
      return new Guest({ job, runtime, memory, deadline, logs }).run();
    } catch (error) {
      return brokenFailure(error, logs);
    }
  }

  /**
   * A new instance of the engine, with a memory of its own that cannot grow: nothing that an execution did to it is
   * there for the next one, and there is nothing to dispose of. The limit that the engine keeps by itself is of no
   * use: in this build it counts eight bytes for an allocation of any size, and a loop took 2 GiB of "16 MiB".
   */
  async #newRuntime(wasmMemory: WasmMemory): Promise<QuickJSRuntime> {
    const instance = await newQuickJSWASMModuleFromVariant(
      newVariant(variant, { wasmModule: this.#module, wasmMemory }),
    );
    return instance.newRuntime({ maxStackSizeBytes: sandboxLimits.stackBytes });
  }
}

/** When the time of an execution is up. */
class GuestDeadline {
  #endMs = Infinity;
  #isMissed = false;

  constructor(
    private readonly timeoutMs: number,
    private readonly monotonicMs: () => number,
  ) {}

  begin(): void {
    this.#endMs = this.monotonicMs() + this.timeoutMs;
  }

  /** Whether somebody was told that it is over: what came of the execution then has no meaning. */
  get isMissed(): boolean {
    return this.#isMissed;
  }

  isOver(): boolean {
    this.#isMissed ||= this.monotonicMs() > this.#endMs;
    return this.#isMissed;
  }
}

interface GuestParts {
  readonly job: GuestJob;
  readonly runtime: QuickJSRuntime;
  readonly memory: WasmMemory;
  readonly deadline: GuestDeadline;
  readonly logs: string[];
}

/** One execution in one machine. Handles are not disposed: the whole machine is dropped. */
class Guest {
  readonly #context: QuickJSContext;
  readonly #kit: QuickJSHandle;

  constructor(private readonly parts: GuestParts) {
    this.#context = parts.runtime.newContext();
    const log = this.#context.newFunction('log', (text) => this.#log(this.#context.getString(text)));
    const prelude = this.#context.unwrapResult(this.#context.evalCode(preludeSource, 'prelude.js'));
    const config = this.#context.newString(preludeConfig(parts.job));
    this.#kit = this.#context.unwrapResult(
      this.#context.callFunction(prelude, this.#context.undefined, [log, config]),
    );
  }

  run(): GuestOutcome {
    const { job, logs } = this.parts;
    const code = this.#context.evalCode(codeHead + job.code + codeTail, 'code.js');
    if (code.error) return this.#failure(code.error);
    const input = this.#call('parse', this.#context.newString(job.inputText));
    if (input.error) return this.#failure(input.error);
    const promise = this.#context.callFunction(code.value, this.#context.undefined, [input.value]);
    if (promise.error) return this.#failure(promise.error);
    this.#drain();
    const state = this.#context.getPromiseState(promise.value);
    if (state.type === 'rejected') return this.#failure(state.error);
    if (state.type === 'pending') return neverSettled(logs);
    const encoded = this.#call('encode', state.value);
    // The machine has no room left to say even that.
    if (encoded.error) return outOfMemory(logs);
    return encodedOutcome(this.#context.getString(encoded.value), logs);
  }

  /** Settles what can be settled. Chains of promises that go on for ever are cut at the deadline. */
  #drain(): void {
    const { runtime, deadline } = this.parts;
    // A job that fails has rejected its promise, or was interrupted; either way the next ones are looked at.
    while (runtime.hasPendingJob() && !deadline.isOver()) runtime.executePendingJobs(100);
  }

  #failure(error: QuickJSHandle): GuestOutcome {
    const { memory, logs } = this.parts;
    const described = this.#call('describe', error);
    // When there is no room for an error object, the engine throws null.
    const isNameless = this.#context.sameValue(error, this.#context.null);
    if (described.error || (isNameless && wasUsedUp(memory))) return outOfMemory(logs);
    return thrownFailure(this.#context.getString(described.value), logs);
  }

  /** The text is JSON, since a text with a NUL character would end there on its way out of the machine. */
  #log(text: string): void {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'string') this.parts.logs.push(storableText(line));
  }

  #call(name: 'parse' | 'encode' | 'describe', value: QuickJSHandle) {
    const tool = this.#context.getProp(this.#kit, name);
    return this.#context.callFunction(tool, this.#context.undefined, [value]);
  }
}
