import { z } from 'zod';
import { parsePolicyEntry } from './policy-entry';
import { MAX_POLICY_ENTRIES } from './workspace-policy';

const MAX_URL_CHARS = 8_192;
const MAX_ADDRESSES = 20;

const entries = z
  .array(
    z.string().superRefine((text, context) => {
      const parsed = parsePolicyEntry(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.message });
    }),
  )
  .max(MAX_POLICY_ENTRIES);

/** Body of a save: the whole policy. */
export const egressPolicyBody = z
  .strictObject({
    defaultAction: z.enum(['allow', 'deny']).describe('What becomes of hosts that neither list names.'),
    allow: entries
      .default([])
      .describe('As `api.example.com`, `*.example.com`, `host:8443`, `203.0.113.0/24`.'),
    deny: entries.default([]).describe('The same; deny beats allow.'),
    dryRun: z.boolean().default(false).describe('Only record what the policy would refuse.'),
  })
  .refine(({ allow, deny }) => allow.length + deny.length <= MAX_POLICY_ENTRIES, {
    message: `Both lists together have at most ${MAX_POLICY_ENTRIES} entries.`,
    path: ['deny'],
  })
  .meta({ id: 'EgressPolicyBody' });

export const egressPolicyView = z
  .object({
    defaultAction: z.enum(['allow', 'deny']),
    allow: z.array(z.string()),
    deny: z.array(z.string()),
    dryRun: z.boolean(),
    revision: z
      .int()
      .describe('0 while the workspace has saved none and has the default of the installation.'),
    updatedAt: z.iso.datetime().nullable(),
    updatedBy: z.string().nullable().describe('`user:<id>` or `api_key:<id>`.'),
  })
  .meta({ id: 'EgressPolicy' });

/** What is to be judged. */
export const egressTestBody = z
  .strictObject({
    url: z
      .string()
      .max(MAX_URL_CHARS)
      .refine(
        (url) => URL.canParse(url),
        'Write the URL in full, for example https://api.example.com/items.',
      ),
    addresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .min(1)
      .max(MAX_ADDRESSES)
      .optional()
      .describe('What its name would resolve to. Nothing is resolved here.'),
  })
  .meta({ id: 'EgressTest' });

export const egressTestView = z
  .object({
    decision: z.enum(['allow', 'deny', 'depends']).describe('`depends`: on the addresses of the name.'),
    rule: z
      .string()
      .nullable()
      .describe('What refuses it: a rule of the installation, or of the policy (`policy.…`).'),
    entry: z.string().nullable().describe('The entry of the policy that decides; null for a default.'),
    enforced: z.boolean().describe('False where a dry run would let it pass.'),
    addressesJudged: z
      .boolean()
      .describe('False for a name that came without addresses: those are judged when it is called.'),
    message: z.string().nullable(),
  })
  .meta({ id: 'EgressTestResult' });

export type EgressPolicyBody = z.output<typeof egressPolicyBody>;
export type EgressPolicyView = z.output<typeof egressPolicyView>;
export type EgressTestBody = z.output<typeof egressTestBody>;
export type EgressTestView = z.output<typeof egressTestView>;
