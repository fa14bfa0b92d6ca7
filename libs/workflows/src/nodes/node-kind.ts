import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';
import type { Problem } from '../definition/problem';
import type { OutputMask } from './output-mask';

/** A node's failure as it is recorded on its node run and shown to people: a stable code, a sentence, evidence. */
export interface NodeError {
  /** `node.snake_case`, `egress.snake_case`, or `custom.snake_case` when the author of the workflow chose it. */
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** What a node may say when it has been executed. Values, not exceptions: a thrown error is a bug of ours. */
export type NodeOutcome = NodeDone | NodeWait | NodeFailure | LoopBegun | WorkflowCall;

/** Finished. `ports` are the output ports taken (default `["out"]`); every other port's paths are dead. */
export interface NodeDone {
  readonly kind: 'done';
  readonly output: JsonValue;
  readonly ports?: readonly string[];
  /** The output is the answer that whoever started the run is waiting for. */
  readonly responds?: boolean;
}

/**
 * Nothing to do until `resumeAt`, or until a message comes for this node (with null: only then). `resume` is called
 * afterwards, perhaps in another process, perhaps years later.
 */
export interface NodeWait {
  readonly kind: 'wait';
  readonly on: 'time' | 'callback' | 'approval';
  readonly resumeAt: Date | null;
  /** Kept with the wait and given to `resume`. */
  readonly data?: JsonValue;
}

export interface NodeFailure {
  readonly kind: 'failed';
  readonly error: NodeError;
  /** False: the same attempt would fail again. True: it may pass. Absent: not known. */
  readonly retryable?: boolean;
  /** What the other side asked for; no earlier attempt is made. */
  readonly retryAfterSeconds?: number;
}

/** Run the body of this node once for each item. */
export interface LoopBegun {
  readonly kind: 'loop';
  readonly items: readonly JsonValue[];
  /** How many items may be under way at a time. */
  readonly concurrency: number;
  /** Whether one item that fails ends the loop, or only leaves a gap in its results. */
  readonly onItemError: 'fail' | 'continue';
  /** Node of the body whose output is an item's result; null for the outputs of its last nodes, by id. */
  readonly collect: string | null;
}

/** Start a run of another workflow, and wait for its end unless told otherwise. */
export interface WorkflowCall {
  readonly kind: 'call';
  readonly workflowId: string;
  readonly input: JsonValue;
  readonly wait: boolean;
}

/** What a node is given. Params have their expressions resolved and are parsed by the kind's schema. */
export interface NodeExecution<P> {
  readonly params: P;
  /** The event that started the run; a trigger node's output is this very value. */
  readonly trigger: JsonValue;
  readonly runId: string;
  readonly nodeId: string;
  /** Empty outside loops; inside, the numbers of the items, outermost first, as `3.1`. */
  readonly iteration: string;
  readonly workspaceId: string;
  /** Stable for this run, node and iteration across crashes and attempts: the `Idempotency-Key` of outgoing calls. */
  readonly idempotencyKey: string;
  /** 1, then one more with each retry. */
  readonly attempt: number;
  readonly now: Date;
  /** When the run was accepted, in ISO 8601: the same however often the node is repeated. */
  readonly runStartedAt: string;
  /** Aborted when the run is canceled, the attempt takes too long, or this worker has lost its lease. */
  readonly signal: AbortSignal;
  /** For what is cut before it is given back; all that is given back is masked afterwards anyway. */
  readonly mask: OutputMask;
}

/** What a node that waited is given in addition. */
export interface NodeResumption<P> extends NodeExecution<P> {
  /** What it kept with its wait. */
  readonly data: JsonValue;
  /** What came for it; undefined when its time came first. */
  readonly message: JsonValue | undefined;
}

/**
 * One kind of node. `pure` kinds compute from their input alone: the engine may run them again and need not
 * wait for a commit. `compute` kinds do as well, but take time over it: they run beside the rest of their run, and can
 * be aborted. `effect` kinds touch the world: everything they depend on is committed before they begin.
 */
export interface NodeKind<P = unknown> {
  /** Dotted, e.g. `http.request`; triggers begin with `trigger.`. */
  readonly type: string;
  readonly title: string;
  readonly description: string;
  /** A `loop` has a body: the nodes that name it as their parent. */
  readonly role: 'trigger' | 'action' | 'loop';
  readonly purity: 'pure' | 'compute' | 'effect';
  /** Nodes of this kind have an address at which they are called while they wait. */
  readonly calledBack?: boolean;
  /** Whether an effect that a crash interrupted may be repeated without asking a person; by default it may. */
  readonly repeat?: 'safe' | 'unsafe';
  /** Shape of the params after expressions are resolved. Its JSON Schema is published. */
  readonly params: z.ZodType<P>;
  /** Names of params in which `{{` means nothing: they are taken as they are written. */
  readonly literal?: readonly string[];
  /**
   * Names of params that may hold secrets; of an effect only. Their schema must take any text, and no message may repeat
   * what they hold: they are parsed once with stand-ins, and once with the values in place.
   */
  readonly secrets?: readonly string[];
  /** Output ports given the raw params; `error` is implied for every kind and not listed. */
  readonly ports: (params: JsonObject) => readonly string[];
  /**
   * What the schema cannot say is wrong with raw params, which may be of any shape. Pointers begin at the params.
   * Asked when a definition is validated; must be pure.
   */
  check?(params: JsonObject): readonly Problem[];
  execute(input: NodeExecution<P>): NodeOutcome | Promise<NodeOutcome>;
  /** Called instead of `execute` once the wait is over. Kinds that never wait leave it out. */
  resume?(input: NodeResumption<P>): NodeOutcome | Promise<NodeOutcome>;
}
