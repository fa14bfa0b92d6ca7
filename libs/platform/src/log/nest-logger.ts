import type { LoggerService } from '@nestjs/common';
import type { Logger, LogLevel } from './logger';

/** Lets Nest's own messages go where ours go: Nest passes the name of the speaking class as the last argument. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: readonly unknown[]): void {
    // Nest tells of every module and route it maps: useful when looking for a fault, noise at each start.
    this.#write('debug', message, rest);
  }

  error(message: unknown, ...rest: readonly unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: readonly unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: readonly unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: readonly unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: readonly unknown[]): void {
    this.#write('error', message, rest);
  }

  #write(level: LogLevel, message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const details = rest.slice(0, -1).filter((detail) => detail !== undefined);
    const isText = typeof message === 'string';
    this.logger.write(level, isText ? message : 'Nest reports.', {
      scope: typeof context === 'string' ? context : 'nest',
      ...(isText ? {} : { error: message }),
      ...(details.length > 0 ? { details } : {}),
    });
  }
}
