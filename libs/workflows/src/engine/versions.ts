import { type Db, statement } from '#platform';
import { compileGraph, type Graph, secretsOfGraph } from '../definition/graph';
import { settingsOf, type WorkflowSettings } from '../definition/policies';
import type { WorkflowDefinition } from '../definition/schema';
import type { NodeKindRegistry } from '../nodes/registry';

/** Purpose: definitions that runs are pinned to. Index: workflow_versions_pkey. Rows: one per id. */
export const readVersions = statement<
  [ids: readonly string[]],
  { readonly id: string; readonly number: number; readonly definition: WorkflowDefinition }
>('read-versions', `select id, number, definition from workflow_versions where id = any ($1::uuid[])`);

/** A version ready to run. */
export interface CompiledVersion {
  readonly number: number;
  readonly graph: Graph;
  readonly settings: WorkflowSettings;
  /** Names of all secrets in it. */
  readonly secretNames: readonly string[];
}

/** A compiled graph of 20 nodes is some 50 kB; a thousand of them are what a busy worker needs at a time. */
const MAX_KEPT = 1_000;

/** Compiled versions of one cell. A version never changes, so there is nothing to invalidate. */
export class Versions {
  readonly #compiled = new Map<string, CompiledVersion>();

  constructor(
    private readonly db: Db,
    private readonly cellId: string,
    private readonly kinds: NodeKindRegistry,
  ) {}

  /** The versions by id; one that is unknown or does not compile (a node type was removed) is missing. */
  async get(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, CompiledVersion>> {
    const missing = [...ids].filter((id) => !this.#compiled.has(id));
    if (missing.length > 0) await this.#load(missing);
    const found = new Map<string, CompiledVersion>();
    for (const id of ids) {
      const version = this.#compiled.get(id);
      if (!version) continue;
      // Taken out and put back: a Map keeps the order of insertion, so the least used stands first.
      this.#compiled.delete(id);
      this.#compiled.set(id, version);
      found.set(id, version);
    }
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size <= MAX_KEPT) break;
      this.#compiled.delete(oldest);
    }
    return found;
  }

  async #load(ids: readonly string[]): Promise<void> {
    for (const { id, number, definition } of await this.db.execute(this.cellId, readVersions, ids)) {
      const compiled = this.#compile(definition);
      if (compiled) this.#compiled.set(id, { number, ...compiled });
    }
  }

  /** Published definitions were validated; only one of another release of the product may fail here. */
  #compile(definition: WorkflowDefinition): Omit<CompiledVersion, 'number'> | null {
    try {
      const graph = compileGraph(definition, this.kinds);
      return { graph, settings: settingsOf(definition), secretNames: secretsOfGraph(graph) };
    } catch {
      return null;
    }
  }
}
