import { Injectable } from '@nestjs/common';
import { type AuditEntry, AuditWriter } from '#identity';
import type { Tx } from '#platform';
import { AuditLog } from '#workspaces';

/** What is done to API keys is written in the workspace's audit log. */
@Injectable()
export class AuditWriterAdapter extends AuditWriter {
  constructor(private readonly log: AuditLog) {
    super();
  }

  async record(tx: Tx, { actor, ip, userAgent, ...entry }: AuditEntry): Promise<void> {
    await this.log.record(tx, { ...entry, origin: { actor, ip, userAgent } });
  }
}
