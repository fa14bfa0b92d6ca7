import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { Secret } from '../config/secret';
import type { Logger } from './logger';
import { NestLogger } from './nest-logger';
import { PinoLogger } from './pino-logger';
import { redacted } from './redacted';

function make(
  options: { readonly format?: 'json' | 'pretty'; readonly contextOf?: () => object | undefined } = {},
) {
  const lines: string[] = [];
  const logger = PinoLogger.of({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('the log', () => {
  it('writes one JSON object a line, with the time in ISO 8601, the level as a word and ids as fields', () => {
    const { logger, lines, last } = make();
    logger.scoped('engine', { workerId: 'w1' }).info('Claimed runs.', { runs: 3 });
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      scope: 'engine',
      workerId: 'w1',
      runs: 3,
      msg: 'Claimed runs.',
    });
  });

  it('adds the ids of the request being served', () => {
    let context: object | undefined = { requestId: 'r1', principal: 'user:u1' };
    const { logger, last } = make({ contextOf: () => context });
    logger.info('Served.');
    expect(last()).toMatchObject({ requestId: 'r1', principal: 'user:u1' });
    context = undefined;
    logger.scoped('loops').info('Swept.');
    expect(last()).not.toHaveProperty('requestId');
  });

  it('writes an error with its code, stack and causes', () => {
    const { logger, last } = make();
    const cause = Object.assign(new Error('cut'), { code: '57P01', parameters: ['hidden'] });
    logger.error('Failed.', { error: new AppError(platformErrors.unavailable, { detail: 'Down.', cause }) });
    expect(last()['error']).toEqual({
      type: 'AppError',
      code: 'request.unavailable',
      message: 'request.unavailable: Down.',
      stack: expect.stringContaining('log.spec'),
      cause: { type: 'Error', code: '57P01', message: 'cut', stack: expect.any(String) },
    });
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = make();
    logger.trace('Too much.');
    expect(lines).toEqual([]);
  });

  it.each<[string, (logger: Logger) => void]>([
    ['by the name of a field', (logger) => logger.info('m', { password: 'hunter2' })],
    ['in a field of a scope', (logger) => logger.scoped('s', { apiKey: 'hunter2' }).info('m')],
    [
      'deep inside a value',
      (logger) => logger.info('m', { a: [{ headers: { 'X-Auth-Token': 'hunter2' } }] }),
    ],
    ['by its type', (logger) => logger.info('m', { harmless: new Secret('hunter2') })],
    ['in a URL', (logger) => logger.info('m', { at: 'postgres://me:hunter2@host/db' })],
    ['in a query', (logger) => logger.info('GET /v1/verify?token=hunter2&x=1')],
    [
      'in the message of an error',
      (logger) => logger.info('m', { error: new Error('smtp://a:hunter2@b failed') }),
    ],
    ['in a cause', (logger) => logger.info('m', { error: new Error('x', { cause: { secret: 'hunter2' } }) })],
    ['in bytes', (logger) => logger.info('m', { body: Buffer.from('hunter2') })],
    ['in a map', (logger) => logger.info('m', { map: new Map([['cookie', 'hunter2']]) })],
  ])('keeps a secret out: %s', (_where, write) => {
    const { logger, lines } = make();
    write(logger);
    expect(lines).toHaveLength(1);
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('keeps what only looks like a secret', () => {
    const given = { keyId: 'k', tokenCount: 2, monkey: 'm', keyboard: 'b', at: 'https://host:8080/x?page=2' };
    expect(redacted(given)).toEqual(given);
  });

  it('survives cycles, depth, width, hostile getters and numbers that are not JSON', () => {
    const cycle: Record<string, unknown> = { big: 1n };
    cycle['self'] = cycle;
    expect(redacted(cycle)).toEqual({ big: '1', self: '[circular]' });
    let deep: unknown = 'end';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(JSON.stringify(redacted(deep))).toContain('[deep]');
    expect(redacted(Array.from({ length: 1_000 }, () => 0))).toHaveLength(200);
    const hostile = {
      get boom(): string {
        throw new Error('no');
      },
    };
    expect(redacted(hostile)).toBe('[unreadable]');
    expect(String(redacted('x'.repeat(10_000)))).toMatch(/^x{8000}… \(10000 characters\)$/);
  });

  it('writes a line for people in the pretty format, and the stack of an error below it', () => {
    const { logger, lines } = make({ format: 'pretty' });
    logger
      .scoped('mail')
      .warn('A mail could not be sent.', { attempts: 2, error: new Error('refused\u001b[2J') });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}mail: A mail could not be sent\. attempts=2 error=refused\\u001b\[2J\n {4}Error: refused\\u001b\[2J\n {4} +at /,
    );
  });

  it('takes the messages of Nest under the name of the class that speaks', () => {
    const { logger, last } = make();
    const nest = new NestLogger(logger);
    nest.log('Mapped {/health, GET} route', 'RouterExplorer');
    expect(last()).toMatchObject({
      level: 'debug',
      scope: 'RouterExplorer',
      msg: 'Mapped {/health, GET} route',
    });
    nest.error(new Error('boom'), undefined, 'ExceptionHandler');
    expect(last()).toMatchObject({ level: 'error', scope: 'ExceptionHandler', error: { message: 'boom' } });
    nest.warn('alone');
    expect(last()).toMatchObject({ level: 'warn', scope: 'nest', msg: 'alone' });
  });
});
