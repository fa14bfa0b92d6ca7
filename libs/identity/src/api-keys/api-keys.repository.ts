import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import type { Tx } from '#platform';
import { managerOf } from '#platform/orm';
import { ApiKeyEntity } from './api-key.entity';

/** A key about to be stored. */
export type NewApiKey = Omit<ApiKeyEntity, 'lastUsedAt' | 'revokedAt'>;

/** Where a listing of keys goes on. */
export interface ApiKeyPage {
  readonly limit: number;
  /** The last id of the page before; null for the first page. */
  readonly before: string | null;
}

/** Rows of API keys, without their hashes. */
@Injectable()
export class ApiKeysRepository {
  async insert(tx: Tx, key: NewApiKey): Promise<void> {
    await managerOf(tx).insert(ApiKeyEntity, { ...key });
  }

  find(tx: Tx, workspaceId: string, id: string): Promise<ApiKeyEntity | null> {
    return managerOf(tx).findOneBy(ApiKeyEntity, { workspaceId, id });
  }

  /** Newest first: ids are in the order of time. One row more than asked for says whether there is another page. */
  list(tx: Tx, workspaceId: string, { limit, before }: ApiKeyPage): Promise<ApiKeyEntity[]> {
    return managerOf(tx).find(ApiKeyEntity, {
      where: { workspaceId, ...(before === null ? {} : { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
  }
}
