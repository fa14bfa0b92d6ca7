import type { SealedColumn } from '#platform';
import { sealContext } from './secrets/secret.sql';
import { placeOf } from './triggers/hooks/hook-secrets.sql';

/** What this lib keeps sealed with the key ring: `npm run secrets:rotate` seals it anew. All in the cells. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'workspace_secrets',
    column: 'sealed',
    contextOf: ({ id, workspaceId }) => sealContext(workspaceId, id),
  },
  { table: 'hook_secrets', column: 'sealed', contextOf: ({ id }) => placeOf({ id }) },
];
