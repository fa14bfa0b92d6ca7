import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { Secret } from './secret';

/** One environment variable: how it is read and what it means. `.env.example` is generated from these. */
interface Setting {
  readonly env: string;
  readonly doc: string;
  /** Shown in `.env.example`; what an unset variable means. */
  readonly example: string;
  readonly schema: z.ZodType<unknown, string | undefined>;
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
const optionalText = z
  .string()
  .optional()
  .transform((value) => value ?? null);
/** Compared letter by letter with what a provider says of itself: nothing of it is changed. */
const issuerUrl = z.url({ protocol: /^https?$/ });
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/./, 'must be a postgres:// URL')
  .transform((value) => new Secret(value))
  .optional()
  .transform((value) => value ?? null);

/** A base64 key of 32 bytes. The all-equal placeholders people paste are refused. */
const givenKey32 = z
  .string()
  .refine(
    (value) => Buffer.from(value, 'base64').length === 32,
    'must be 32 bytes in base64 (openssl rand -base64 32)',
  )
  .refine(
    (value) => new Set(Buffer.from(value, 'base64')).size > 4,
    'looks like a placeholder: use openssl rand -base64 32',
  )
  .transform((value) => new Secret(value));
const key32 = givenKey32.optional().transform((value) => value ?? null);

/** Keys with their numbers, as `3:<base64>,2:<base64>`. */
const numberedKeys = list
  .transform((items) => items.map((item) => /^(?<id>\d{1,3}):(?<key>.+)$/.exec(item)?.groups ?? {}))
  .pipe(
    z.array(
      z.object({
        id: z
          .string('must be number:key, as in 2:<32 bytes in base64>')
          .transform(Number)
          .pipe(z.number().min(2, 'numbers begin with 2').max(255, 'numbers end with 255')),
        key: givenKey32,
      }),
    ),
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'has a number twice');

/** Every variable the product reads. One list: typed configuration, documentation and `.env.example` come from it. */
export const settings = {
  environment: {
    env: 'NODE_ENV',
    example: 'development',
    doc: 'production switches off the development conveniences (/dev/mail) and asks for SECRET_KEY with DATABASE_URL.',
    schema: oneOf(['development', 'production', 'test'], 'development'),
  },
  host: {
    env: 'HOST',
    example: '127.0.0.1',
    doc: 'Address to listen on. Use 0.0.0.0 behind a proxy or in a container.',
    schema: z
      .string()
      .min(1)
      .optional()
      .transform((value) => value ?? '127.0.0.1'),
  },
  port: {
    env: 'PORT',
    example: '3000',
    doc: 'TCP port to listen on; 0 takes a free one (set PUBLIC_URL then, or webhook addresses cannot be right).',
    schema: integer(0, 65_535, 3000),
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    example: '',
    doc: 'Base URL people and webhooks reach this server by; default http://localhost:PORT.',
    schema: httpUrl.optional().transform((value) => value ?? null),
  },
  dataDir: {
    env: 'DATA_DIR',
    example: '.data',
    doc: 'Folder for the embedded PostgreSQL and the generated secret key.',
    schema: z
      .string()
      .min(1)
      .optional()
      .transform((value) => (isAbsolute(value ?? '') ? (value ?? '') : resolve(value ?? '.data'))),
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    example: '',
    doc: 'PostgreSQL 15 or newer to use instead of the embedded one, e.g. postgres://user:password@host/db.',
    schema: databaseUrl,
  },
  databasePoolSize: {
    env: 'DATABASE_POOL_SIZE',
    example: '20',
    doc: 'Connections per process and cell.',
    schema: integer(1, 1000, 20),
  },
  databaseNamedStatements: {
    env: 'DATABASE_NAMED_STATEMENTS',
    example: 'true',
    doc: 'false for PgBouncer before 1.21 in transaction mode.',
    schema: flag(true),
  },
  databaseListenUrl: {
    env: 'DATABASE_LISTEN_URL',
    example: '',
    doc: 'Direct connection for LISTEN where DATABASE_URL goes through PgBouncer.',
    schema: databaseUrl,
  },
  secretKey: {
    env: 'SECRET_KEY',
    example: '',
    doc: 'Key of 32 bytes in base64 from which tokens are derived. Without it one is generated into DATA_DIR. All processes of an installation must share it.',
    schema: key32,
  },
  encryptionKeys: {
    env: 'ENCRYPTION_KEYS',
    example: '',
    doc: 'Keys that seal customers’ secrets, newest first, as 3:<32 bytes in base64>,2:<…>. Without it they are sealed with a key derived from SECRET_KEY. Rotate: put a new one first, restart, npm run secrets:rotate, take the old one out.',
    schema: numberedKeys,
  },
  roles: {
    env: 'ROLES',
    example: 'api,worker,scheduler',
    doc: 'Which duties this process has: any of api, worker, scheduler, or all.',
    schema: list
      .transform((value) =>
        value.length === 0 || value.includes('all') ? ['api', 'worker', 'scheduler'] : value,
      )
      .pipe(z.array(z.enum(['api', 'worker', 'scheduler']))),
  },
  logLevel: {
    env: 'LOG_LEVEL',
    example: 'info',
    doc: 'trace, debug, info, warn, error or silent.',
    schema: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
  },
  logFormat: {
    env: 'LOG_FORMAT',
    example: 'json',
    doc: 'json, or pretty for a terminal (default there).',
    schema: z
      .enum(['json', 'pretty'])
      .optional()
      .transform((value) => value ?? null),
  },
  trustedProxies: {
    env: 'TRUSTED_PROXIES',
    example: '',
    doc: 'Comma-separated addresses or CIDRs whose X-Forwarded-For is believed; none by default.',
    schema: list,
  },
  rateLimitScale: {
    env: 'RATE_LIMIT_SCALE',
    example: '1',
    doc: 'Multiplies the rate limits per client address, where many people share one; 0 switches those off. Limits per account stay.',
    schema: integer(0, 1_000_000, 1),
  },
  signupMode: {
    env: 'SIGNUP_MODE',
    example: 'open',
    doc: 'open: anyone may sign up; invite: only with an invitation; waitlist: the same, and addresses of others are kept.',
    schema: oneOf(['open', 'invite', 'waitlist'], 'open'),
  },
  termsVersion: {
    env: 'TERMS_VERSION',
    example: '1.0',
    doc: 'Version of the terms in force: who signs up accepts it, and everybody else is asked to once it changes.',
    schema: z
      .string()
      .regex(/^[\w.-]{1,20}$/, 'must be 1 to 20 letters, digits, dots, dashes or underscores')
      .optional()
      .transform((value) => value ?? '1.0'),
  },
  defaultPlan: {
    env: 'DEFAULT_PLAN',
    example: 'enterprise',
    doc: 'Plan of new workspaces: solo (250 runs a month), workspace (20,000) or enterprise (unlimited).',
    schema: oneOf(['solo', 'workspace', 'enterprise'], 'enterprise'),
  },
  googleClientId: {
    env: 'GOOGLE_CLIENT_ID',
    example: '',
    doc: 'OAuth client of Google: with it and its secret, people can sign in with Google. Callback: PUBLIC_URL/v1/auth/oauth/google/callback.',
    schema: optionalText,
  },
  googleClientSecret: {
    env: 'GOOGLE_CLIENT_SECRET',
    example: '',
    doc: 'Secret of the OAuth client of Google.',
    schema: secret,
  },
  googleIssuerUrl: {
    env: 'GOOGLE_ISSUER_URL',
    example: 'https://accounts.google.com',
    doc: 'OpenID Connect issuer behind "sign in with Google". http:// only for tests.',
    schema: issuerUrl.optional().transform((value) => value ?? 'https://accounts.google.com'),
  },
  githubClientId: {
    env: 'GITHUB_CLIENT_ID',
    example: '',
    doc: 'OAuth app of GitHub: with it and its secret, people can sign in with GitHub. Callback: PUBLIC_URL/v1/auth/oauth/github/callback.',
    schema: optionalText,
  },
  githubClientSecret: {
    env: 'GITHUB_CLIENT_SECRET',
    example: '',
    doc: 'Secret of the OAuth app of GitHub.',
    schema: secret,
  },
  githubUrl: {
    env: 'GITHUB_URL',
    example: 'https://github.com',
    doc: 'Where people sign in to GitHub; of a GitHub Enterprise Server its own address.',
    schema: httpUrl.optional().transform((value) => value ?? 'https://github.com'),
  },
  githubApiUrl: {
    env: 'GITHUB_API_URL',
    example: 'https://api.github.com',
    doc: 'The API of GitHub; of a GitHub Enterprise Server https://its-address/api/v3.',
    schema: httpUrl.optional().transform((value) => value ?? 'https://api.github.com'),
  },
  smtpUrl: {
    env: 'SMTP_URL',
    example: '',
    doc: 'smtp:// or smtps:// URL of the mail server. Without it mails are kept and shown at /dev/mail in development.',
    schema: secret.refine(
      (value) => value === null || /^smtps?:\/\/./.test(value.reveal()),
      'must be an smtp:// or smtps:// URL',
    ),
  },
  mailFrom: {
    env: 'MAIL_FROM',
    example: 'Millrace <no-reply@localhost>',
    doc: 'Sender of mails.',
    schema: z
      .string()
      .min(3)
      .optional()
      .transform((value) => value ?? 'Millrace <no-reply@localhost>'),
  },
  emailsPerDay: {
    env: 'EMAILS_PER_DAY',
    example: '500',
    doc: 'Readers that the email.send nodes of one workspace may write to in a day; 0 keeps workflows from sending mails.',
    schema: integer(0, 1_000_000, 500),
  },
  metricsToken: {
    env: 'METRICS_TOKEN',
    example: '',
    doc: 'Bearer token that /metrics asks for; open when unset.',
    schema: secret,
  },
  egressAllowPrivate: {
    env: 'EGRESS_ALLOW_PRIVATE',
    example: '',
    doc: 'Comma-separated private CIDRs that workflows may call; none by default (cloud metadata and your own network stay out of reach).',
    schema: list.pipe(z.array(z.union([z.cidrv4(), z.cidrv6()], 'must be CIDRs like 10.1.0.0/16'))),
  },
  egressDefaultAction: {
    env: 'EGRESS_DEFAULT_ACTION',
    example: 'allow',
    doc: 'What workspaces that have saved no egress policy may call: the public Internet (allow), or nothing (deny).',
    schema: z
      .enum(['allow', 'deny'])
      .optional()
      .transform((value) => value ?? 'allow'),
  },
  workerConcurrency: {
    env: 'WORKER_CONCURRENCY',
    example: '2000',
    doc: 'Runs one worker process holds in memory at a time.',
    schema: integer(1, 100_000, 2000),
  },
  sandboxThreads: {
    env: 'SANDBOX_THREADS',
    example: '2',
    doc: 'Threads in which one worker process runs the code of workflows; each takes up to 100 MB while it does.',
    schema: integer(1, 64, 2),
  },
  workerLeaseSeconds: {
    env: 'WORKER_LEASE_SECONDS',
    example: '10',
    doc: 'How long a silent worker keeps its runs before another takes them over.',
    schema: integer(2, 3600, 10),
  },
  drainSeconds: {
    env: 'DRAIN_SECONDS',
    example: '20',
    doc: 'How long a stopping process lets running nodes and requests finish.',
    schema: integer(0, 3600, 20),
  },
  allowedBodyBytes: {
    env: 'BODY_LIMIT_BYTES',
    example: '1048576',
    doc: 'Largest accepted request body.',
    schema: integer(1024, 64 * 1024 * 1024, 1024 * 1024),
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Settings that mean something only together: one without the other is a mistake that would show itself late. */
export const settingPairs = [
  ['googleClientId', 'googleClientSecret'],
  ['githubClientId', 'githubClientSecret'],
] as const satisfies readonly (readonly [keyof typeof settings, keyof typeof settings])[];
