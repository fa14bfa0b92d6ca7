import { type Statement } from '#platform';
import { planOf, useTestDb } from '#platform/testing';
import {
  countSecrets,
  deleteSecret,
  holdSecrets,
  knownSecretNames,
  listSecrets,
  lockSecret,
  readSealedSecrets,
  replaceSecret,
  secretUsers,
} from './secret.sql';

const cases: readonly (readonly [Pick<Statement<never, unknown>, 'name' | 'text'>, RegExp])[] = [
  [readSealedSecrets, /workspace_secrets_name_key/],
  [holdSecrets, /workspace_secrets_name_key/],
  [knownSecretNames, /workspace_secrets_name_key/],
  [listSecrets, /workspace_secrets_name_key/],
  [countSecrets, /workspace_secrets_name_key/],
  [lockSecret, /workspace_secrets_name_key/],
  [replaceSecret, /workspace_secrets_pkey/],
  [deleteSecret, /workspace_secrets_pkey/],
  [secretUsers, /workflows_name_key[^]*workflow_versions/],
];

describe('the statements of secrets', () => {
  const testDb = useTestDb();

  it.each(cases.map(([statement, index]) => [statement.name, statement, index] as const))(
    '%s finds its rows by an index',
    async (_, statement, index) => {
      const plan = await planOf(testDb().db, statement);
      expect(plan).toMatch(index);
      expect(plan).not.toContain('Seq Scan');
    },
  );
});
