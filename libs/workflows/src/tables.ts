/** The tables that belong to this lib. No other lib may name them. */
export const tables = [
  'workflows',
  'workflow_versions',
  'workflow_hooks',
  'workflow_runs',
  'workflow_node_runs',
  'workflow_run_events',
  'run_queue',
  'run_start_keys',
  'run_signals',
  'dead_letters',
  'run_approvals',
  'run_approval_votes',
  'run_start_windows',
  'workspace_turns',
  'workspace_gates',
  'engine_workers',
] as const;
