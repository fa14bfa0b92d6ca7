import type { DatabaseFacts } from './database-facts';
import { databaseFaults } from './database-faults';
import type { RoleStanding } from './roles';

const role = (name: string, other: Partial<RoleStanding> = {}): RoleStanding => ({
  name,
  canSet: true,
  inherits: true,
  canGrant: false,
  seesAll: false,
  ...other,
});

/** Everything as it should be, on PostgreSQL 18. */
const facts = (other: Partial<DatabaseFacts> = {}): DatabaseFacts => ({
  version: 180_004,
  versionText: '18.4',
  database: 'shop',
  user: 'app',
  mayCreateRoles: false,
  mayCreateSchemas: false,
  inherits: true,
  owner: role('millrace_owner'),
  tenant: role('millrace_tenant'),
  tenantIsMemberOf: null,
  missingSchemas: [],
  foreignSchemas: [],
  foreignTables: [],
  ...other,
});

const remedies = (other: Partial<DatabaseFacts>) =>
  databaseFaults(facts(other)).flatMap((fault) => fault.remedies);

describe('databaseFaults', () => {
  it('finds none where the roles are granted and the schemas are ours', () => {
    expect(databaseFaults(facts())).toEqual([]);
  });

  it('says nothing but the version of a server that is too old', () => {
    const faults = databaseFaults(facts({ version: 140_011, versionText: '14.11', owner: null }));
    expect(faults).toEqual([
      { message: 'The server is PostgreSQL 14.11; Millrace needs PostgreSQL 15 or newer.', remedies: [] },
    ]);
  });

  it('asks for the roles of a user who may not create them', () => {
    expect(remedies({ owner: null, tenant: null })).toEqual([
      'create role millrace_owner nologin;',
      'grant millrace_owner to app with set true, inherit true;',
      'create role millrace_tenant nologin;',
      'grant millrace_tenant to app with set true, inherit true;',
    ]);
  });

  it('leaves it to a user who may create roles to create them', () => {
    expect(remedies({ owner: null, tenant: null, mayCreateRoles: true })).toEqual([]);
  });

  it('knows that PostgreSQL 15 has no options of membership', () => {
    const stranger = { canSet: false, inherits: false };
    expect(remedies({ version: 150_004, tenant: role('millrace_tenant', stranger) })).toEqual([
      'grant millrace_tenant to app;',
    ]);
  });

  it('asks for a membership whose options do not suffice', () => {
    expect(remedies({ tenant: role('millrace_tenant', { canSet: false }) })).toEqual([
      'grant millrace_tenant to app with set true, inherit true;',
    ]);
    expect(remedies({ owner: role('millrace_owner', { inherits: false }) })).toEqual([
      'grant millrace_owner to app with set true, inherit true;',
    ]);
  });

  it('has a NOINHERIT user of PostgreSQL 15 changed, since no grant would help', () => {
    const owner = role('millrace_owner', { inherits: false });
    expect(remedies({ version: 150_004, inherits: false, owner })).toEqual(['alter role app inherit;']);
  });

  it('refuses a role of tenants that is above row-level security', () => {
    expect(remedies({ tenant: role('millrace_tenant', { seesAll: true }) })).toEqual([
      'alter role millrace_tenant nosuperuser nobypassrls;',
    ]);
    expect(remedies({ tenantIsMemberOf: 'millrace_owner' })).toEqual([
      'revoke millrace_owner from millrace_tenant;',
    ]);
  });

  it('asks for the right to create schemas only where one is missing', () => {
    expect(remedies({ missingSchemas: ['control', 'cell_1'] })).toEqual([
      'grant create on database shop to app;',
    ]);
    expect(remedies({ missingSchemas: ['control'], mayCreateSchemas: true })).toEqual([]);
  });
});
