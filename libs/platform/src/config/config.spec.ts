import { inspect } from 'node:util';
import { ConfigError, parseConfig } from './config';
import { settings } from './settings';

const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64');

describe('the configuration', () => {
  it('needs nothing: every setting has a default', () => {
    const { values } = parseConfig({});
    expect(values).toMatchObject({
      environment: 'development',
      host: '127.0.0.1',
      port: 3000,
      databaseUrl: null,
      roles: ['api', 'worker', 'scheduler'],
      egressAllowPrivate: [],
    });
    expect(values.dataDir).toMatch(/\.data$/);
  });

  it('takes an empty variable for an unset one', () => {
    expect(parseConfig({ PORT: '', DATABASE_URL: '' })).toEqual(parseConfig({}));
  });

  it('names every wrong variable at once, with what it holds and what it must hold', () => {
    const parse = () => parseConfig({ PORT: 'abc', LOG_LEVEL: 'loud', ROLES: 'api,cook' });
    expect(parse).toThrow(ConfigError);
    for (const told of [
      'PORT is "abc": must be a whole number',
      'LOG_LEVEL is "loud"',
      'ROLES is "api,cook"',
    ]) {
      expect(parse).toThrow(told);
    }
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3.5'],
    ['DATABASE_URL', 'mysql://somewhere'],
    ['PUBLIC_URL', 'ftp://somewhere'],
    ['EGRESS_ALLOW_PRIVATE', '10.0.0.0'],
    ['SMTP_URL', 'http://mail'],
    ['WORKER_LEASE_SECONDS', '1'],
    ['ROLES', 'cook'],
    ['SECRET_KEY', 'short'],
    ['SECRET_KEY', Buffer.alloc(32, 1).toString('base64')],
    ['ENCRYPTION_KEYS', key],
    ['ENCRYPTION_KEYS', `1:${key}`],
    ['ENCRYPTION_KEYS', `256:${key}`],
    ['ENCRYPTION_KEYS', `2:${key},2:${key}`],
    ['ENCRYPTION_KEYS', '2:short'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => parseConfig({ [name]: value })).toThrow(new RegExp(`${name} `));
  });

  it.each([
    ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
    ['GOOGLE_CLIENT_SECRET', 'GOOGLE_CLIENT_ID'],
    ['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'],
    ['GITHUB_CLIENT_SECRET', 'GITHUB_CLIENT_ID'],
  ])('takes %s only together with %s', (given, missing) => {
    expect(() => parseConfig({ [given]: 'hunter2' })).toThrow(`${missing} is missing`);
    expect(() => parseConfig({ [given]: 'hunter2' })).toThrow(expect.not.stringContaining('hunter2'));
    expect(parseConfig({ [given]: 'one', [missing]: 'other' })).toBeDefined();
  });

  it('repeats no secret, neither in an error nor when it is printed', () => {
    expect(() => parseConfig({ SECRET_KEY: 'hunter2' })).toThrow(expect.not.stringContaining('hunter2'));
    const { values } = parseConfig({ SECRET_KEY: key, DATABASE_URL: 'postgres://u:hunter2@h/d' });
    const printed = `${inspect(values)} ${JSON.stringify(values)} ${String(values.databaseUrl)}`;
    expect(printed).not.toContain('hunter2');
    expect(printed).not.toContain(key);
    expect(values.secretKey?.reveal()).toBe(key);
  });

  it('reads lists, flags and `all`', () => {
    const { values } = parseConfig({
      ROLES: 'all',
      TRUSTED_PROXIES: '10.0.0.1, 10.0.0.0/8',
      DATABASE_NAMED_STATEMENTS: 'false',
      PUBLIC_URL: 'https://example.com/',
    });
    expect(values.roles).toEqual(['api', 'worker', 'scheduler']);
    expect(values.trustedProxies).toEqual(['10.0.0.1', '10.0.0.0/8']);
    expect(values.databaseNamedStatements).toBe(false);
    expect(values.publicUrl).toBe('https://example.com');
  });

  it('documents every variable, each under a name of its own', () => {
    const all = Object.values(settings);
    expect(new Set(all.map(({ env }) => env)).size).toBe(all.length);
    for (const { env, doc } of all)
      expect({ env, doc }).toEqual({ env, doc: expect.stringMatching(/^.{10,}\.$/) });
  });
});
