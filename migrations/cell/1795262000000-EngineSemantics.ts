import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/**
 * What loops, retries, calls of other workflows and people's decisions need: the state of nodes that have begun and not
 * ended, messages for runs, where a run comes from, and what is kept of runs that failed.
 *
 * Rollback: drops messages and dead letters, and what nodes that wait keep; runs that wait for anything but their time
 * would never go on, so only when none is live.
 */
export class EngineSemantics1795262000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- What a node keeps until it is settled: its wait, its items, its attempt. Null once it is.
      alter table workflow_node_runs add column state json;
      alter table workflow_node_runs drop constraint workflow_node_runs_waiting_check;
      alter table workflow_node_runs add constraint workflow_node_runs_state_check
        check (state is null or status in ('running', 'waiting'));

      -- Null for a run that begins something. {"parent": {"runId", "nodeId", "iteration"}, "depth"} for one that a run
      -- has called, {"rerunOf"}, {"deadLetter"} or {"errorOf"} for one that another has led to.
      alter table workflow_runs add column origin json;

      -- Whether a worker that holds the run is to look at its messages, and how many there have ever been: a run is
      -- parked only by somebody who knows of all of them.
      alter table run_queue add column signaled boolean not null default false;
      alter table run_queue add column signal_count integer not null default 0;
      -- The run that waits for this one; it is canceled when that one is not live any more.
      alter table run_queue add column parent_run_id uuid;
      alter table run_queue drop constraint run_queue_state_check;
      alter table run_queue add constraint run_queue_state_check
        check (state in ('queued', 'owned', 'parked', 'undecided'));
      alter table run_queue drop constraint run_queue_parked_check;
      alter table run_queue add constraint run_queue_parked_check
        check (resume_at is null or state in ('parked', 'undecided'));
      drop index run_queue_resume_at_idx;
      create index run_queue_resume_at_idx on run_queue (resume_at) where resume_at is not null;
      drop index run_queue_cancel_idx;
      create index run_queue_attention_idx on run_queue (worker_id)
        where cancel_requested_at is not null or signaled;
      create index run_queue_parent_run_id_idx on run_queue (parent_run_id) where parent_run_id is not null;

      -- What has come for a node of a run: the end of a run it called, the answer to a wait, a decision. The first
      -- message counts; it is deleted together with the record of what it brought about.
      create table run_signals (
        run_id uuid not null,
        node_id text not null,
        iteration text not null default '',
        workspace_id uuid not null,
        message json not null,
        -- Whether the queue knows of it.
        delivered boolean not null default false,
        created_at timestamptz not null default now(),
        constraint run_signals_pkey primary key (run_id, node_id, iteration)
      );
      create index run_signals_undelivered_idx on run_signals (created_at) where not delivered;
      create index run_signals_created_at_idx on run_signals (created_at) where delivered;
      create index run_signals_workspace_id_idx on run_signals (workspace_id);
      ${tenantIsolation('run_signals')}

      -- One for each run that failed, with what is needed to begin again. It outlives the run's history.
      create table dead_letters (
        run_id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        version_id uuid not null,
        trigger_node text not null,
        trigger_kind text not null,
        started_by text not null,
        input json not null,
        error_code text not null,
        error json not null,
        created_at timestamptz not null,
        failed_at timestamptz not null,
        state text not null default 'open',
        -- What it was requeued as.
        requeued_run_id uuid,
        settled_at timestamptz,
        settled_by text,
        -- A workflow that is to hear of it, when that is to be tried next, and the run that it became.
        error_workflow_id uuid,
        tell_at timestamptz,
        error_run_id uuid,
        constraint dead_letters_pkey primary key (run_id),
        constraint dead_letters_workspace_id_fkey foreign key (workspace_id) references tenants (workspace_id),
        constraint dead_letters_state_check check (state in ('open', 'requeued', 'discarded')),
        constraint dead_letters_requeued_check check ((state = 'requeued') = (requeued_run_id is not null)),
        constraint dead_letters_settled_check check ((state = 'open') = (settled_at is null))
      );
      create index dead_letters_workspace_id_idx on dead_letters (workspace_id, run_id);
      create index dead_letters_workflow_id_idx on dead_letters (workflow_id, run_id);
      create index dead_letters_error_code_idx on dead_letters (workspace_id, error_code, run_id);
      create index dead_letters_tell_at_idx on dead_letters (tell_at) where tell_at is not null;
      grant select, update on dead_letters to millrace_tenant;
      ${tenantIsolation('dead_letters')}

      -- Keys that the product itself makes for starts that may be asked for again after weeks.
      alter table run_start_keys add column lasting boolean not null default false;
      drop index run_start_keys_created_at_idx;
      create index run_start_keys_created_at_idx on run_start_keys (created_at) where not lasting;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index run_start_keys_created_at_idx;
      create index run_start_keys_created_at_idx on run_start_keys (created_at);
      alter table run_start_keys drop column lasting;
      drop table dead_letters;
      drop table run_signals;
      drop index run_queue_parent_run_id_idx;
      drop index run_queue_attention_idx;
      create index run_queue_cancel_idx on run_queue (worker_id) where cancel_requested_at is not null;
      drop index run_queue_resume_at_idx;
      create index run_queue_resume_at_idx on run_queue (resume_at) where state = 'parked';
      alter table run_queue drop constraint run_queue_parked_check;
      alter table run_queue add constraint run_queue_parked_check
        check ((state = 'parked') = (resume_at is not null));
      alter table run_queue drop constraint run_queue_state_check;
      alter table run_queue add constraint run_queue_state_check check (state in ('queued', 'owned', 'parked'));
      alter table run_queue drop column parent_run_id;
      alter table run_queue drop column signal_count;
      alter table run_queue drop column signaled;
      alter table workflow_runs drop column origin;
      alter table workflow_node_runs drop constraint workflow_node_runs_state_check;
      alter table workflow_node_runs add constraint workflow_node_runs_waiting_check
        check (status <> 'waiting' or resume_at is not null);
      alter table workflow_node_runs drop column state;`);
  }
}
