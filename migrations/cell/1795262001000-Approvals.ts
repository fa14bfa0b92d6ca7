import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What runs ask of people, and what those said.
 *
 * Rollback: drops both tables; runs that wait for an approval would wait for ever, so only when none does.
 */
export class Approvals1795262001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table run_approvals (
        id uuid not null,
        workspace_id uuid not null,
        run_id uuid not null,
        node_id text not null,
        iteration text not null default '',
        title text not null,
        message text not null,
        -- Who may answer: members with one of these roles, and these users. Both empty: whoever may answer at all.
        roles text[] not null,
        user_ids uuid[] not null,
        quorum smallint not null,
        -- Who started the run, as user:<id>; that person does not answer unless told otherwise.
        started_by text not null,
        self_approval boolean not null,
        form json not null,
        requested_at timestamptz not null default now(),
        deadline_at timestamptz,
        outcome text,
        decided_at timestamptz,
        constraint run_approvals_pkey primary key (id),
        constraint run_approvals_workspace_id_id_key unique (workspace_id, id),
        constraint run_approvals_node_key unique (run_id, node_id, iteration),
        constraint run_approvals_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint run_approvals_quorum_check check (quorum between 1 and 100),
        constraint run_approvals_outcome_check check (outcome in ('approved', 'rejected')),
        constraint run_approvals_decided_check check ((outcome is null) = (decided_at is null))
      );
      create index run_approvals_open_idx on run_approvals (workspace_id, id) where outcome is null;
      create index run_approvals_requested_at_idx on run_approvals (requested_at);
      ${tenantIsolation('run_approvals')}

      create table run_approval_votes (
        approval_id uuid not null,
        workspace_id uuid not null,
        user_id uuid not null,
        vote text not null,
        comment text not null,
        form json not null,
        voted_at timestamptz not null default now(),
        -- One person, one vote.
        constraint run_approval_votes_pkey primary key (approval_id, user_id),
        constraint run_approval_votes_approval_fkey foreign key (workspace_id, approval_id)
          references run_approvals (workspace_id, id) on delete cascade,
        constraint run_approval_votes_vote_check check (vote in ('approve', 'reject'))
      );
      create index run_approval_votes_workspace_id_approval_id_idx on run_approval_votes (workspace_id, approval_id);
      ${tenantIsolation('run_approval_votes')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table run_approval_votes;
      drop table run_approvals;`);
  }
}
