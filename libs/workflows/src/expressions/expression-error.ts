/** Why an expression gave no value. The codes are stable: they are stored on node runs and shown to people. */
export type ExpressionErrorCode =
  /** It can not be read as an expression, or uses something that is not offered. Found when publishing. */
  | 'expression_syntax'
  /** It gave nothing, most often because a name is misspelt. */
  | 'expression_undefined'
  /** It was read, and then failed on the values it met. */
  | 'expression_failed'
  /** It asked for more time, depth or memory than one expression may take. */
  | 'expression_limit';

/** What is known about a failure. `position` counts UTF-16 units in the string at `pointer`. */
export interface ExpressionFailure {
  readonly code: ExpressionErrorCode;
  readonly message: string;
  readonly expression: string;
  readonly position?: number;
  /** RFC 6901, from the root of the params. */
  readonly pointer: string;
}

/** Thrown by `compileTemplates` and by `resolve`; the engine turns it into the failure of the node. */
export class ExpressionError extends Error {
  readonly code: ExpressionErrorCode;
  readonly expression: string;
  readonly position: number | undefined;
  readonly pointer: string;

  constructor(failure: ExpressionFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'ExpressionError';
    this.code = failure.code;
    this.expression = failure.expression;
    this.position = failure.position;
    this.pointer = failure.pointer;
  }
}
