/** The tables of this lib, in the schema of each cell. No other lib names them. */
export const billingTables = ['workspace_run_usage'] as const;
