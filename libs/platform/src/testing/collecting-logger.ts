import { type LogFields, Logger, type LogLevel } from '../log/logger';

/** One line as a test sees it: fields unredacted, as they were given. */
export interface CollectedLine {
  readonly level: LogLevel;
  readonly scope: string | null;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger for tests: keeps the lines of itself and of every logger scoped from it. */
export class CollectingLogger extends Logger {
  constructor(
    readonly lines: CollectedLine[] = [],
    private readonly scope: string | null = null,
    private readonly fields: LogFields = {},
  ) {
    super();
  }

  scoped(scope: string, fields: LogFields = {}): CollectingLogger {
    return new CollectingLogger(this.lines, scope, { ...this.fields, ...fields });
  }

  write(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.lines.push({ level, scope: this.scope, message, fields: { ...this.fields, ...fields } });
  }

  /** The messages so far, of one level or of all. */
  messages(level?: LogLevel): readonly string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map(({ message }) => message);
  }
}
