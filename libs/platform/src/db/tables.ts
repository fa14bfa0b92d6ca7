/** The tables that platform owns: no statement or entity of another lib names them. */
export const platformTables = [
  'cells',
  'workspace_directory',
  'installation',
  'tenants',
  'idempotency_keys',
  'mail_outbox',
  'rate_limits',
] as const;
