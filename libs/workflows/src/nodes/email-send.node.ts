import { z } from 'zod';
import {
  AppError,
  type Db,
  emailAddress,
  type Mail,
  type MailToSend,
  type RateLimiter,
  type RatePolicy,
  type RateStanding,
} from '#platform';
import type { NodeExecution, NodeKind, NodeOutcome } from './node-kind';

const MAX_READERS = 50;
const MAX_SUBJECT_CHARS = 500;
const MAX_TEXT_CHARS = 200_000;
const MAX_HTML_CHARS = 500_000;
const DAY_SECONDS = 24 * 60 * 60;

const readers = z.array(emailAddress).max(MAX_READERS);

const paramsSchema = z
  .strictObject({
    to: readers.min(1),
    cc: readers.default([]),
    bcc: readers.default([]).describe('Readers whom the others do not see.'),
    replyTo: emailAddress.optional().describe('Who is answered; by default the sender of the installation.'),
    subject: z
      .string()
      .min(1)
      .max(MAX_SUBJECT_CHARS)
      // What could begin another header.
      .regex(/^[^\p{Cc}\u2028\u2029]*$/u, { error: 'must be one line without control characters' }),
    text: z.string().min(1).max(MAX_TEXT_CHARS).optional(),
    html: z
      .string()
      .min(1)
      .max(MAX_HTML_CHARS)
      .optional()
      .describe('Sent as it is: escape what comes from outside.'),
  })
  .refine(({ text, html }) => text !== undefined || html !== undefined, {
    message: 'must have `text`, `html` or both',
  });

/** What an `email.send` node is told, defaults filled in. */
export type EmailSendParams = z.infer<typeof paramsSchema>;

/** What sending mails needs. */
export interface EmailSendDeps {
  readonly db: Db;
  readonly mail: Mail;
  readonly limiter: RateLimiter;
  /** How many readers the workflows of one workspace may write to in a day; 0 for none at all. */
  readonly readersPerDay: number;
}

/** Ends the transaction in which a mail was queued that the budget does not pay for. */
class BudgetSpent extends Error {
  constructor(readonly standing: RateStanding) {
    super('The budget of mails is used up.');
  }
}

/**
 * Queues a mail in the outbox. The key of the execution is the key of the mail, and budget and mail are one transaction:
 * a node that is repeated after a crash queues nothing and pays nothing a second time.
 */
export function emailSendNode(deps: EmailSendDeps): NodeKind<EmailSendParams> {
  return {
    type: 'email.send',
    title: 'Send e-mail',
    description:
      'Sends an e-mail in the name of this installation. It is done once the mail is in the outbox.',
    role: 'action',
    purity: 'effect',
    params: paramsSchema,
    ports: () => ['out'],
    execute: async (input) => {
      try {
        return await queue(input, deps);
      } catch (error) {
        return refusal(error, input.params);
      }
    },
  };
}

async function queue(
  { params, workspaceId, idempotencyKey }: NodeExecution<EmailSendParams>,
  { db, mail, limiter, readersPerDay }: EmailSendDeps,
): Promise<NodeOutcome> {
  if (readersPerDay === 0) return switchedOff;
  const policy: RatePolicy = { name: 'email-send', limit: readersPerDay, windowSeconds: DAY_SECONDS };
  const queued = await db.control(async (tx) => {
    const { id, isNew } = await mail.enqueueOnce(tx, `email.send:${idempotencyKey}`, mailOf(params));
    if (!isNew) return id;
    const standing = await limiter.takeSeveral(policy, { subject: workspaceId, count: count(params) }, tx);
    if (!standing.taken) throw new BudgetSpent(standing);
    return id;
  });
  return { kind: 'done', output: { queued: true, messageId: queued } };
}

const switchedOff: NodeOutcome = {
  kind: 'failed',
  error: {
    code: 'node.email_limit',
    message: 'Workflows of this installation send no mails. Its operator can change that (EMAILS_PER_DAY).',
  },
  retryable: false,
};

/** What is expected to go wrong. Whatever else does is a bug, and goes on its way. */
function refusal(error: unknown, params: EmailSendParams): NodeOutcome {
  if (error instanceof BudgetSpent) return overBudget(error.standing, params);
  if (!(error instanceof AppError) || error.type.kind !== 'unavailable') throw error;
  return {
    kind: 'failed',
    error: { code: 'node.email_unavailable', message: 'The outbox could not be reached; try again shortly.' },
    retryable: true,
    retryAfterSeconds: error.context.retryAfterSeconds ?? 1,
  };
}

function overBudget({ policy, retryAfterSeconds }: RateStanding, params: EmailSendParams): NodeOutcome {
  const asked = count(params);
  const details = { perDay: policy.limit, readers: asked };
  const rule = `The workflows of this workspace may write to ${policy.limit} readers a day`;
  if (asked > policy.limit) {
    const message = `${rule}, and this mail has ${asked}. Send it to fewer.`;
    return { kind: 'failed', error: { code: 'node.email_limit', message, details }, retryable: false };
  }
  const message = `${rule}, and too few are left for the ${asked} of this mail. Try again in ${retryAfterSeconds} s.`;
  return {
    kind: 'failed',
    error: { code: 'node.email_limit', message, details },
    retryable: true,
    retryAfterSeconds,
  };
}

function count({ to, cc, bcc }: EmailSendParams): number {
  return to.length + cc.length + bcc.length;
}

function mailOf({ to, subject, text, html, cc, bcc, replyTo }: EmailSendParams): MailToSend {
  const [first = '', ...alsoTo] = to;
  return { to: first, alsoTo, cc, bcc, replyTo, subject, text, html };
}
