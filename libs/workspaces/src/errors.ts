import { defineErrors } from '#platform';

/** What can go wrong with workspaces, beside what can go wrong with any request. */
export const workspaceErrors = defineErrors('workspace', {
  owned_limit_reached: { kind: 'limit', title: 'You own as many workspaces as one person can' },
  joined_limit_reached: { kind: 'limit', title: 'You belong to as many workspaces as one person can' },
});
