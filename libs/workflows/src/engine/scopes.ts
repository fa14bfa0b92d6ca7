import type { Frame } from '../definition/frame';
import type { JsonValue } from '../definition/json';
import type { PlaceError } from '../definition/results';
import type { ExpressionScope, RunScope } from '../expressions/scope';

/** What the expressions of a run see: one scope for the run itself, and one for each item of its loops. */
export class Scopes {
  readonly #byFrame = new WeakMap<Frame, ExpressionScope>();

  constructor(
    private readonly run: {
      readonly trigger: JsonValue;
      readonly run: RunScope;
      /** The address at which a node that waits for a call is called. */
      readonly callbackUrl: (nodeId: string, iteration: string) => string;
    },
  ) {}

  of(frame: Frame): ExpressionScope {
    const known = this.#byFrame.get(frame);
    if (known) return known;
    const { trigger, run } = this.run;
    const callbacks = this.#callbacks(frame);
    const common = { trigger, nodes: frame.outputs, run: callbacks === null ? run : { ...run, callbacks } };
    const names = frame.loopNames();
    const scope: ExpressionScope = names === null ? common : { ...common, ...names };
    this.#byFrame.set(frame, scope);
    return scope;
  }

  /** The scope with what went wrong, for the condition under which a node is tried again. */
  withError(frame: Frame, { code, message, details }: PlaceError): ExpressionScope {
    const error = details === undefined ? { code, message } : { code, message, details };
    return { ...this.of(frame), error };
  }

  /** Addresses of the nodes here and around that wait for calls; null when there are none. */
  #callbacks(frame: Frame): { readonly [nodeId: string]: string } | null {
    const outer = frame.item === null ? null : (this.of(frame.item.loop.frame).run.callbacks ?? null);
    const waiting = frame.graph.nodes.filter(({ kind }) => kind.calledBack === true);
    if (waiting.length === 0) return outer;
    const { iteration } = frame;
    return {
      ...outer,
      ...Object.fromEntries(waiting.map(({ id }) => [id, this.run.callbackUrl(id, iteration)])),
    };
  }
}
