import { groupedBy } from '../history/facts';
import { type Check, none, told } from './check';

/** A run whose acceptance was answered is there. */
const lost: Check = {
  promise: 'R1',
  title: 'accepted runs lost',
  kind: 'promise',
  judge: ({ history: { starts }, run }) => {
    const accepted = starts.filter(({ runIds }) => runIds.length > 0);
    const missing = accepted.flatMap(({ key, runIds }) =>
      runIds
        .filter((id) => !run.has(id))
        .map((runId) => ({ runId, says: `start ${key} was answered with a run that is not there` })),
    );
    return none(missing, accepted.length, 'accepted');
  },
};

/** Every run that is there has ended: the lab has waited until nothing moved any more. */
const stuck: Check = {
  promise: 'R1',
  title: 'runs stuck',
  kind: 'promise',
  judge: ({ history: { runs } }) => {
    const open = runs.filter(({ outcome }) => outcome === null);
    return none(
      open.map(({ id }) => ({ runId: id, says: 'it has no outcome, and nothing moves any more' })),
      runs.length,
      'runs',
    );
  },
};

/** However often a start was repeated under its key, there is one run of it. */
const twice: Check = {
  promise: 'R1',
  title: 'runs made twice for one key',
  kind: 'promise',
  judge: ({ history: { starts, runs } }) => {
    const made = groupedBy(runs, ({ key }) => key);
    const doubled = [...made].filter(([, same]) => same.length > 1);
    const answered = starts.filter(({ runIds }) => new Set(runIds).size > 1);
    const repeated = starts.filter(({ unanswered }) => unanswered > 0).length;
    const broken = [
      ...doubled.map(([key, same]) => ({
        runId: same[1]?.id ?? null,
        says: `start ${key} made ${same.length} runs`,
      })),
      ...answered.map(({ key, runIds }) => ({
        runId: runIds[1] ?? null,
        says: `start ${key} was answered with different runs`,
      })),
    ];
    return { broken, figure: `${broken.length} of ${starts.length} keys, ${repeated} of them asked again` };
  },
};

/** A client has asked for it, or a run that is there calls it. */
const uninvited: Check = {
  promise: 'R1',
  title: 'runs nobody asked for',
  kind: 'promise',
  judge: ({ history: { starts, runs }, expectationOf }) => {
    const called = runs.flatMap(({ id }) => expectationOf(id)?.calls ?? []);
    const asked = new Set([...starts.map(({ key }) => key), ...called]);
    const strange = runs.filter(({ key }) => !asked.has(key));
    return none(
      strange.map(({ id, key }) => ({ runId: id, says: `its input names the unknown key "${key}"` })),
      runs.length,
      'runs',
    );
  },
};

const answersLost: Check = {
  promise: 'R1',
  title: 'starts with a lost answer, found once',
  kind: 'figure',
  judge: ({ history: { starts, runs } }) => {
    const made = new Set(runs.map(({ key }) => key));
    const repeated = starts.filter(({ unanswered }) => unanswered > 0);
    return told(`${repeated.filter(({ key }) => made.has(key)).length} of ${repeated.length}`);
  },
};

/** A unit of quota and its run exist together. */
const usage: Check = {
  promise: 'R1',
  title: 'usage counters that differ from runs',
  kind: 'promise',
  judge: ({ history: { runs, usage: counters } }) => {
    const counted = groupedBy(runs, ({ workspaceId }) => workspaceId);
    const used = new Map(counters.map(({ workspaceId, used: units }) => [workspaceId, units]));
    const workspaces = [...new Set([...counted.keys(), ...used.keys()])];
    const broken = workspaces.flatMap((workspaceId) => {
      const made = counted.get(workspaceId)?.length ?? 0;
      const units = used.get(workspaceId) ?? 0;
      if (made === units) return [];
      return [{ runId: null, says: `workspace ${workspaceId} has ${made} runs, and ${units} were counted` }];
    });
    return none(broken, workspaces.length, 'workspaces');
  },
};

const leftovers: Check = {
  promise: 'R1',
  title: 'rows left in queue and lease',
  kind: 'promise',
  judge: ({ history: { left } }) => ({
    broken: [
      ...left.runs.map((runId) => ({ runId, says: 'it is still in the queue' })),
      ...left.workers.map((id) => ({ runId: null, says: `worker ${id} is registered and does not live` })),
    ],
    figure: `${left.runs.length} runs, ${left.workers.length} workers`,
  }),
};

export const startChecks: readonly Check[] = [lost, stuck, twice, uninvited, answersLost, usage, leftovers];
