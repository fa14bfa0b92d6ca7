import { sha256 } from '#platform';
import type { WebhookSettings } from '../../catalog/trigger-nodes';
import type { JsonObject, JsonValue } from '../../definition/json';
import type { StartIdempotency } from '../../engine/run-starter';
import { cleanJson } from '../../expressions/clean-json';
import { resolve } from '../../expressions/template';

/** Deliveries with one key are the same, whatever else differs between them. */
const SAME = '00'.repeat(32);

/** A call as its hook's dedupe sees it. */
export interface DedupeSubject {
  readonly hookId: string;
  readonly event: JsonObject;
  readonly headers: JsonObject;
  readonly body: Buffer;
  /** Of the version, and when the call came. */
  readonly run: { readonly workspaceId: string; readonly workflowId: string; readonly version: number };
  readonly at: Date;
}

/**
 * By what a delivery that comes again is known; null when the hook asks for none, or the call does not have it: a sender
 * that leaves its id out is taken at its word, since the other mistake would lose a call.
 */
export async function dedupeKey(
  settings: Pick<WebhookSettings, 'dedupe' | 'dedupeBy'>,
  subject: DedupeSubject,
): Promise<StartIdempotency | null> {
  const { dedupe } = settings;
  if (!dedupe) return null;
  const value = await valueOf(settings, subject);
  if (value === null) return null;
  // What it was made by is part of the key: a header's value is no body's hash.
  const digest = sha256(Buffer.concat([Buffer.from(`${dedupe.by}\n`), Buffer.from(value)]));
  return {
    key: `hook:${subject.hookId}:${digest.toString('hex')}`,
    requestHashHex: SAME,
    lasting: true,
    windowSeconds: dedupe.windowSeconds,
  };
}

async function valueOf(
  { dedupe, dedupeBy }: Pick<WebhookSettings, 'dedupe' | 'dedupeBy'>,
  { event, headers, body, run, at }: DedupeSubject,
): Promise<string | Buffer | null> {
  switch (dedupe?.by) {
    case undefined:
      return null;
    case 'body':
      return body.length === 0 ? null : body;
    case 'header': {
      const value = headers[dedupe.header];
      return typeof value === 'string' && value !== '' ? value : null;
    }
    case 'expression': {
      if (!dedupeBy) return null;
      const scope = {
        trigger: cleanJson(event),
        nodes: {},
        run: { id: '', ...run, startedAt: at.toISOString() },
      };
      return textOf(await evaluated(() => resolve(dedupeBy, scope)));
    }
    default:
      return dedupe satisfies never;
  }
}

/** An expression that fails, or runs out of its budget, gives no key. */
async function evaluated(evaluate: () => JsonValue | Promise<JsonValue>): Promise<JsonValue> {
  try {
    return await evaluate();
  } catch {
    return null;
  }
}

function textOf(value: JsonValue): string | null {
  if (value === null || value === '') return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
