/** A part of a timing can not be understood. Thrown by parsers, caught by whoever compiles: it never leaves this folder. */
export class TimingFault extends Error {
  override readonly name = 'TimingFault';

  /** The pointer is within the part: empty for all of it. */
  constructor(
    message: string,
    readonly pointer = '',
  ) {
    super(message);
  }
}

/** A text for a message, cut where nobody reads on. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 59).toWellFormed()}…`);
}
