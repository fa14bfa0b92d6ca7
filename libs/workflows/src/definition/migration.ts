import type { NodeDefinition, WorkflowDefinition } from './schema';

/** What is recorded of a node in a run that waits, in whichever iteration. */
export interface RecordedNodeRun {
  readonly nodeId: string;
  readonly status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled';
}

/** Why a run stays with its version, and because of which node. */
export type Obstacle =
  | {
      readonly reason:
        | 'node_removed'
        | 'node_changed'
        | 'way_in_changed'
        | 'way_out_changed'
        | 'body_changed';
      readonly nodeId: string;
    }
  | { readonly reason: 'settings_changed'; readonly nodeId: null };

/**
 * Whether a run that waits may go on with another version: null when it may, else the first obstacle. It may when the
 * new graph, given what is recorded, leads exactly where the old one led: no recorded node is executed again, none is
 * lost, and what waits is what would wait.
 *
 * That is so when every recorded node is the same and has the same ways in, and every settled one (skipped ones are) the
 * same ways out. By induction along the edges: the ways into a recorded node come from the same nodes and are taken or
 * dead as they were. Nothing can hang on what is settled but what hung on it before, and that has the same ways in and the
 * same join, so nothing new is ready at once; only a body can begin without a way in, so a loop under way keeps the nodes
 * its items begin with.
 */
export function obstacleToMigration(
  before: WorkflowDefinition,
  after: WorkflowDefinition,
  recorded: readonly RecordedNodeRun[],
): Obstacle | null {
  if (!isSame(bindingSettings(before), bindingSettings(after))) {
    return { reason: 'settings_changed', nodeId: null };
  }
  const [old, renewed] = [new Shape(before), new Shape(after)];
  for (const { nodeId, status } of recorded) {
    const node = old.node(nodeId);
    const found = renewed.node(nodeId);
    if (!node || !found) return { reason: 'node_removed', nodeId };
    if (!isSame(withoutLooks(node), withoutLooks(found))) return { reason: 'node_changed', nodeId };
    if (!isSame(old.waysInto(nodeId), renewed.waysInto(nodeId))) return { reason: 'way_in_changed', nodeId };
    const isOpen = status === 'waiting' || status === 'running';
    if (!isOpen && !isSame(old.waysOutOf(nodeId), renewed.waysOutOf(nodeId))) {
      return { reason: 'way_out_changed', nodeId };
    }
    if (isOpen && !isSame(old.beginningsIn(nodeId), renewed.beginningsIn(nodeId))) {
      return { reason: 'body_changed', nodeId };
    }
  }
  return obstacleBehind(recorded, old, renewed);
}

/** The same of nodes that nothing is recorded of, and that some of what is settled leads to. */
function obstacleBehind(recorded: readonly RecordedNodeRun[], old: Shape, renewed: Shape): Obstacle | null {
  const known = new Set(recorded.map(({ nodeId }) => nodeId));
  const settled = recorded.filter(({ status }) => status !== 'waiting' && status !== 'running');
  for (const nodeId of new Set(settled.flatMap((node) => old.targetsOf(node.nodeId)))) {
    if (known.has(nodeId)) continue;
    if (!isSame(old.waysInto(nodeId), renewed.waysInto(nodeId))) return { reason: 'way_in_changed', nodeId };
    if (old.node(nodeId)?.join !== renewed.node(nodeId)?.join) return { reason: 'node_changed', nodeId };
  }
  return null;
}

/** What binds a run from its start on: its place among others, and its end. The rest is looked at when it matters. */
function bindingSettings({ settings }: WorkflowDefinition) {
  return { concurrency: settings?.concurrency ?? null, deadlineSeconds: settings?.deadlineSeconds ?? null };
}

/** What a node is called and where it is drawn means nothing to a run. */
function withoutLooks({ name: _name, position: _position, ...node }: NodeDefinition) {
  return node;
}

/** A definition, asked for what is around its nodes. */
class Shape {
  readonly #nodes: ReadonlyMap<string, NodeDefinition>;
  readonly #in = new Map<string, string[]>();
  readonly #out = new Map<string, string[]>();
  readonly #targets = new Map<string, string[]>();

  constructor(definition: WorkflowDefinition) {
    this.#nodes = new Map(definition.nodes.map((node) => [node.id, node]));
    for (const { from, port, to } of definition.edges) {
      enter(this.#in, to, `${from} ${port}`);
      enter(this.#out, from, `${port} ${to}`);
      enter(this.#targets, from, to);
    }
  }

  node(id: string): NodeDefinition | undefined {
    return this.#nodes.get(id);
  }

  waysInto(id: string): readonly string[] {
    return (this.#in.get(id) ?? []).toSorted();
  }

  waysOutOf(id: string): readonly string[] {
    return (this.#out.get(id) ?? []).toSorted();
  }

  targetsOf(id: string): readonly string[] {
    return this.#targets.get(id) ?? [];
  }

  /** The nodes of a loop's body that an item begins with; none for a node without a body. */
  beginningsIn(id: string): readonly string[] {
    const inside = [...this.#nodes.values()].filter(({ parent }) => parent === id);
    return inside
      .map((node) => node.id)
      .filter((other) => !this.#in.has(other))
      .toSorted();
  }
}

function enter(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Equal as JSON, whatever the order of members: definitions come from different hands. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
