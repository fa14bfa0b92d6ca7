import type { Finding } from '../checks/check';
import type { Facts } from '../history/facts';
import type { Write } from '../history/history';
import { placeName } from '../history/place';

/** All that is known of a run, in the order in which it happened: what to read when a promise was broken. */
function storyOf({ history, ownership }: Facts, runId: string): readonly string[] {
  const lines: { readonly atMs: number; readonly text: string }[] = [];
  for (const write of history.writes) {
    const { atMs, table, op, status, workerId, formerWorkerId, seq, transaction } = write;
    if (write.runId !== runId) continue;
    const moved =
      table === 'queue' ? `${formerWorkerId ?? 'nobody'} -> ${workerId ?? 'nobody'}` : writtenName(write);
    const who = ownership.processOf(write) ?? '?';
    lines.push({
      atMs,
      text: `${who} ${op} ${table} ${moved} ${status ?? ''} (${seq}, transaction ${transaction})`,
    });
  }
  for (const call of history.calls) {
    if (call.runId !== runId) continue;
    lines.push({
      atMs: call.atMs,
      text: `${call.process ?? '?'} calls ${placeName(call)}, is given ${call.number}`,
    });
  }
  for (const message of history.messages) {
    const { kind, number, acceptedAtMs } = message;
    if (message.runId !== runId || acceptedAtMs === null) continue;
    const text = `${kind} of ${placeName(message)} with ${number} was accepted`;
    lines.push({ atMs: acceptedAtMs, text });
  }
  const workers = new Set((ownership.tenures.get(runId) ?? []).map(({ workerId }) => workerId));
  for (const { workerId, process, goneMs } of ownership.workers.values()) {
    if (workers.has(workerId))
      lines.push({ atMs: goneMs, text: `worker ${workerId} of ${process ?? '?'} is gone` });
  }
  const begun = Math.min(...lines.map(({ atMs }) => atMs));
  const end = Math.max(...lines.flatMap(({ atMs }) => (Number.isFinite(atMs) ? [atMs] : [])));
  for (const { kind, process, atMs } of history.faults) {
    if (begun <= atMs && atMs <= end) lines.push({ atMs, text: `FAULT ${kind} ${process ?? ''}` });
  }
  return lines
    .filter(({ atMs }) => Number.isFinite(atMs))
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ atMs, text }) => `${((atMs - begun) / 1000).toFixed(3).padStart(8)} s  ${text}`);
}

function writtenName({ nodeId, iteration }: Write): string {
  return nodeId === null ? '' : placeName({ nodeId, iteration: iteration ?? '' });
}

/** Runs whose stories are told at most. */
const TOLD = 20;

/** The stories of runs at which a promise was broken. */
export function storiesOf(
  facts: Facts,
  lines: readonly { readonly findings: readonly Finding[] }[],
): Readonly<Record<string, readonly string[]>> {
  const runs = lines.flatMap(({ findings }) => findings.flatMap(({ runId }) => runId ?? []));
  return Object.fromEntries([...new Set(runs)].slice(0, TOLD).map((id) => [id, storyOf(facts, id)]));
}
