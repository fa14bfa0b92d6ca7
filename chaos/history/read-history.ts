import type { LabDatabase } from '../lab/lab-server';
import type { EventRow, History, NodeRow, RunRow, Write } from './history';

/** What the tables and the observer's notes say. */
export type Recorded = Pick<History, 'runs' | 'nodes' | 'events' | 'writes' | 'usage'>;

type ReadWrite = Omit<Write, 'atMs' | 'resumeAtMs' | 'seq'> & {
  readonly seq: string;
  readonly at: Date;
  readonly resumeAt: Date | null;
};

/** Reads all of a lab's database. */
export async function readRecorded(database: LabDatabase): Promise<Recorded> {
  const [runs, nodes, events, usage, writes] = await Promise.all([
    database.rows<RunRow>(`
      select id, workspace_id as "workspaceId", input ->> 'key' as key, outcome, error ->> 'code' as "errorCode"
        from workflow_runs`),
    database.rows<NodeRow>(`
      select run_id as "runId", node_id as "nodeId", iteration, status,
             (case when json_typeof(output -> 'body') = 'object' then output -> 'body' ->> 'number'
                   when json_typeof(output) = 'object' then output ->> 'number' end)::float8 as number,
             case when json_typeof(output) = 'object' then output ->> 'runId' end as "calledRunId"
        from workflow_node_runs`),
    database.rows<EventRow>(`
      select run_id as "runId", first_seq as "firstSeq", last_seq as "lastSeq",
             array(select event ->> 'type' from json_array_elements(events) event) as types
        from workflow_run_events`),
    database.rows<{ workspaceId: string; used: number }>(`
      select workspace_id as "workspaceId", sum(runs_used)::float8 as used from workspace_run_usage
       group by workspace_id`),
    database.rows<ReadWrite>(`
      select seq, transaction::text, at, port, source as table, op, run_id as "runId", node_id as "nodeId",
             iteration, status, worker_id as "workerId", former_worker_id as "formerWorkerId",
             resume_at as "resumeAt"
        from lab.writes order by seq`),
  ]);
  return { runs, nodes, events, usage, writes: writes.map(writeOf) };
}

function writeOf({ seq, at, resumeAt, ...write }: ReadWrite): Write {
  return { ...write, seq: Number(seq), atMs: at.getTime(), resumeAtMs: resumeAt?.getTime() ?? null };
}

/** What is left where nothing should be once every process has stopped in good order. */
export async function readLeft(database: LabDatabase): Promise<History['left']> {
  const runs = await database.rows<{ id: string }>('select run_id as id from run_queue');
  const workers = await database.rows<{ id: string }>('select id from engine_workers');
  return { runs: runs.map(({ id }) => id), workers: workers.map(({ id }) => id) };
}
