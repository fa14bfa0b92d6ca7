import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { Secret } from './secret';

/** One environment variable: how it is read and what it means. `.env.example` is generated from these. */
interface Setting<T> {
  readonly env: string;
  readonly doc: string;
  /** Shown in `.env.example`; what an unset variable means. */
  readonly example: string;
  readonly schema: z.ZodType<T, string | undefined>;
}

function setting<T>(
  env: string,
  example: string,
  doc: string,
  schema: z.ZodType<T, string | undefined>,
): Setting<T> {
  return { env, example, doc, schema };
}

const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .optional()
    .transform((value) => value ?? fallback);

const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .transform((value) => (value === undefined ? fallback : value === 'true'));

const oneOf = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
  z
    .enum(values)
    .optional()
    .transform((value): T[number] => value ?? fallback);

const secret = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value === '' ? null : new Secret(value)));

const list = z
  .string()
  .optional()
  .transform((value): readonly string[] =>
    (value ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

const httpUrl = z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/+$/, ''));
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/./, 'must be a postgres:// URL')
  .transform((value) => new Secret(value))
  .optional()
  .transform((value) => value ?? null);

/** A base64 key of 32 bytes. The all-equal placeholders people paste are refused. */
const key32 = z
  .string()
  .refine(
    (value) => Buffer.from(value, 'base64').length === 32,
    'must be 32 bytes in base64 (openssl rand -base64 32)',
  )
  .refine(
    (value) => new Set(Buffer.from(value, 'base64')).size > 4,
    'looks like a placeholder: use openssl rand -base64 32',
  )
  .transform((value) => new Secret(value))
  .optional()
  .transform((value) => value ?? null);

/** Every variable the product reads. One list: typed configuration, documentation and `.env.example` come from it. */
export const settings = {
  environment: setting(
    'NODE_ENV',
    'development',
    'production switches off the development conveniences (/dev/mail) and asks for SECRET_KEY with DATABASE_URL.',
    oneOf(['development', 'production', 'test'], 'development'),
  ),
  host: setting(
    'HOST',
    '127.0.0.1',
    'Address to listen on. Use 0.0.0.0 behind a proxy or in a container.',
    z
      .string()
      .min(1)
      .optional()
      .transform((value) => value ?? '127.0.0.1'),
  ),
  port: setting('PORT', '3000', 'TCP port to listen on; 0 takes a free one.', integer(0, 65_535, 3000)),
  publicUrl: setting(
    'PUBLIC_URL',
    '',
    'Base URL people and webhooks reach this server by; default http://localhost:PORT.',
    httpUrl.optional().transform((value) => value ?? null),
  ),
  dataDir: setting(
    'DATA_DIR',
    '.data',
    'Folder for the embedded PostgreSQL and the generated secret key.',
    z
      .string()
      .min(1)
      .optional()
      .transform((value) => (isAbsolute(value ?? '') ? (value ?? '') : resolve(value ?? '.data'))),
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    '',
    'PostgreSQL 15 or newer to use instead of the embedded one, e.g. postgres://user:password@host/db.',
    databaseUrl,
  ),
  databasePoolSize: setting(
    'DATABASE_POOL_SIZE',
    '20',
    'Connections per process and cell.',
    integer(1, 1000, 20),
  ),
  databaseNamedStatements: setting(
    'DATABASE_NAMED_STATEMENTS',
    'true',
    'false for PgBouncer before 1.21 in transaction mode.',
    flag(true),
  ),
  databaseListenUrl: setting(
    'DATABASE_LISTEN_URL',
    '',
    'Direct connection for LISTEN where DATABASE_URL goes through PgBouncer.',
    databaseUrl,
  ),
  secretKey: setting(
    'SECRET_KEY',
    '',
    'Key of 32 bytes in base64 from which tokens are derived. Without it one is generated into DATA_DIR. All processes of an installation must share it.',
    key32,
  ),
  roles: setting(
    'ROLES',
    'api,worker,scheduler',
    'Which duties this process has: any of api, worker, scheduler, or all.',
    list
      .transform((value) =>
        value.length === 0 || value.includes('all') ? ['api', 'worker', 'scheduler'] : value,
      )
      .pipe(z.array(z.enum(['api', 'worker', 'scheduler']))),
  ),
  logLevel: setting(
    'LOG_LEVEL',
    'info',
    'trace, debug, info, warn, error or silent.',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
  ),
  logFormat: setting(
    'LOG_FORMAT',
    'json',
    'json, or pretty for a terminal (default there).',
    z
      .enum(['json', 'pretty'])
      .optional()
      .transform((value) => value ?? null),
  ),
  trustedProxies: setting(
    'TRUSTED_PROXIES',
    '',
    'Comma-separated addresses or CIDRs whose X-Forwarded-For is believed; none by default.',
    list,
  ),
  signupMode: setting(
    'SIGNUP_MODE',
    'open',
    'open: anyone may sign up; invite: only with an invitation.',
    oneOf(['open', 'invite'], 'open'),
  ),
  defaultPlan: setting(
    'DEFAULT_PLAN',
    'enterprise',
    'Plan of new workspaces: solo (250 runs a month), workspace (20,000) or enterprise (unlimited).',
    oneOf(['solo', 'workspace', 'enterprise'], 'enterprise'),
  ),
  smtpUrl: setting(
    'SMTP_URL',
    '',
    'smtp:// or smtps:// URL of the mail server. Without it mails are kept and shown at /dev/mail in development.',
    secret.refine(
      (value) => value === null || /^smtps?:\/\/./.test(value.reveal()),
      'must be an smtp:// or smtps:// URL',
    ),
  ),
  mailFrom: setting(
    'MAIL_FROM',
    'Millrace <no-reply@localhost>',
    'Sender of mails.',
    z
      .string()
      .min(3)
      .optional()
      .transform((value) => value ?? 'Millrace <no-reply@localhost>'),
  ),
  metricsToken: setting('METRICS_TOKEN', '', 'Bearer token that /metrics asks for; open when unset.', secret),
  egressAllowPrivate: setting(
    'EGRESS_ALLOW_PRIVATE',
    '',
    'Comma-separated private CIDRs that workflows may call; none by default (cloud metadata and your own network stay out of reach).',
    list.pipe(z.array(z.union([z.cidrv4(), z.cidrv6()], 'must be CIDRs like 10.1.0.0/16'))),
  ),
  workerConcurrency: setting(
    'WORKER_CONCURRENCY',
    '2000',
    'Runs one worker process holds in memory at a time.',
    integer(1, 100_000, 2000),
  ),
  workerLeaseSeconds: setting(
    'WORKER_LEASE_SECONDS',
    '10',
    'How long a silent worker keeps its runs before another takes them over.',
    integer(2, 3600, 10),
  ),
  drainSeconds: setting(
    'DRAIN_SECONDS',
    '20',
    'How long a stopping process lets running nodes and requests finish.',
    integer(0, 3600, 20),
  ),
  allowedBodyBytes: setting(
    'BODY_LIMIT_BYTES',
    '1048576',
    'Largest accepted request body.',
    integer(1024, 64 * 1024 * 1024, 1024 * 1024),
  ),
} as const;
