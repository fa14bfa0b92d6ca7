import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Scopes of an API key: the permissions it may use of those its role has. Null: all of them.
 *
 * Rollback: drops the column. Keys that were narrowed could then do all that their role may, so they are revoked first.
 */
export class ApiKeyScopes1795260004000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table api_keys
        add column scopes text[],
        add constraint api_keys_scopes_check check (cardinality(scopes) between 1 and 50);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      update api_keys set revoked_at = now() where scopes is not null and revoked_at is null;
      alter table api_keys drop column scopes;`);
  }
}
