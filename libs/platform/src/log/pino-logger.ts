import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config';
import { currentRequest } from '../http/request-context';
import { type LogFields, Logger, type LogLevel } from './logger';
import { prettyLine } from './pretty-line';
import { redacted } from './redacted';

/** How the process writes its log. */
export interface PinoLoggerOptions {
  readonly level: LogLevel | 'silent';
  readonly format: 'json' | 'pretty';
  /** Fields of the request being served, if any: asked for at each line. */
  readonly contextOf?: () => object | undefined;
  /** Where lines go; the standard output when absent. */
  readonly destination?: DestinationStream;
}

/** Writes one JSON object, or one line for people, per call. Synchronous: a crash loses no line written before it. */
export class PinoLogger extends Logger {
  constructor(private readonly pino: Pino) {
    super();
  }

  /** The logger of a process. `contextOf` gives the ids of the request being served. */
  static of(options: PinoLoggerOptions): PinoLogger {
    const { contextOf, destination } = options;
    const target = destination ?? pino.destination({ fd: 1, sync: true });
    const settings = {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      mixin: () => recordOf(redacted(contextOf?.())),
    };
    return new PinoLogger(pino(settings, options.format === 'json' ? target : prettyStream(target)));
  }

  /**
   * The logger a configuration asks for: for people on a terminal, JSON elsewhere, unless LOG_FORMAT says which. Its
   * lines carry the ids of the request they were written for.
   */
  static fromConfig(config: Config): PinoLogger {
    const { logLevel, logFormat } = config.values;
    return PinoLogger.of({
      level: logLevel,
      format: logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json'),
      contextOf: currentRequest,
    });
  }

  scoped(scope: string, fields: LogFields = {}): PinoLogger {
    return new PinoLogger(this.pino.child({ ...recordOf(redacted(fields)), scope }));
  }

  write(level: LogLevel, message: string, fields?: LogFields): void {
    // Redacting costs more than writing, so a line that is not wanted must not pay for it.
    if (!this.pino.isLevelEnabled(level)) return;
    this.pino[level](recordOf(redacted(fields)), String(redacted(message)));
  }
}

function recordOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function prettyStream(target: DestinationStream): DestinationStream {
  return { write: (line) => target.write(prettyLine(line, process.stdout.isTTY)) };
}
