import type { Client } from 'pg';

/**
 * The lab's own eye in its own database: triggers that note who wrote what to the tables of runs, in which order. A
 * sequence orders the notes: what had to wait for a lock is noted after what it waited for. Nothing of it is in the
 * product's migrations.
 */
const OBSERVER = `
create schema lab;
create table lab.writes (
  seq bigint generated always as identity primary key,
  transaction xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  port integer default inet_client_port(),
  source text not null,
  op text not null,
  run_id uuid,
  node_id text,
  iteration text,
  status text,
  worker_id uuid,
  former_worker_id uuid,
  resume_at timestamptz
);

create function lab.note_run() returns trigger language plpgsql security definer as $$
begin
  insert into lab.writes (source, op, run_id, status) values ('run', tg_op, new.id, new.outcome);
  return null;
end $$;

create function lab.note_node() returns trigger language plpgsql security definer as $$
begin
  insert into lab.writes (source, op, run_id, node_id, iteration, status, resume_at)
  values ('node', tg_op, new.run_id, new.node_id, new.iteration, new.status, new.resume_at);
  return null;
end $$;

create function lab.note_events() returns trigger language plpgsql security definer as $$
begin
  insert into lab.writes (source, op, run_id) values ('events', tg_op, new.run_id);
  return null;
end $$;

create function lab.note_queue() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'INSERT' then
    insert into lab.writes (source, op, run_id, status, worker_id)
    values ('queue', tg_op, new.run_id, new.state, new.worker_id);
  elsif tg_op = 'UPDATE' then
    insert into lab.writes (source, op, run_id, status, worker_id, former_worker_id)
    values ('queue', tg_op, new.run_id, new.state, new.worker_id, old.worker_id);
  else
    insert into lab.writes (source, op, run_id, former_worker_id)
    values ('queue', tg_op, old.run_id, old.worker_id);
  end if;
  return null;
end $$;

create function lab.note_worker() returns trigger language plpgsql security definer as $$
begin
  insert into lab.writes (source, op, worker_id)
  values ('worker', tg_op, case when tg_op = 'DELETE' then old.id else new.id end);
  return null;
end $$;

create trigger lab_note after insert or update on cell_1.workflow_runs
  for each row execute function lab.note_run();
create trigger lab_note after insert or update on cell_1.workflow_node_runs
  for each row execute function lab.note_node();
create trigger lab_note after insert on cell_1.workflow_run_events
  for each row execute function lab.note_events();
create trigger lab_note after insert or update or delete on cell_1.run_queue
  for each row execute function lab.note_queue();
create trigger lab_note after insert or delete on cell_1.engine_workers
  for each row execute function lab.note_worker();
`;

/** Installs the observer; as the superuser, so that its notes are written whatever role the writer has. */
export async function installObserver(superuser: Client): Promise<void> {
  await superuser.query(OBSERVER);
}
