/** What a log line says beside its message: ids, counts, `error`. Values of secret-looking names are redacted. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/**
 * Where the product tells what it does. Messages are constant sentences, so that they can be counted and searched;
 * whatever varies is a field. A thrown value goes into the field `error` and is written with its causes.
 */
export abstract class Logger {
  /** A logger whose lines carry `scope` (`engine`, `mail`) and these fields. */
  abstract scoped(scope: string, fields?: LogFields): Logger;

  abstract write(level: LogLevel, message: string, fields?: LogFields): void;

  trace(message: string, fields?: LogFields): void {
    this.write('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields);
  }
}
