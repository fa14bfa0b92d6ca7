import { DataSource } from 'typeorm';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { cellDataSourceOptions, FIRST_CELL, isCellId, poolOf } from './data-source';
import { statement } from './statement';

/** Purpose: every cell of the installation. Locks: none. Index: none needed, a handful of rows. */
const listCells = statement<[], { readonly id: string; readonly acceptsTenants: boolean }>(
  'list-cells',
  `select id, accepts_tenants as "acceptsTenants" from cells order by id`,
);

/** Purpose: where a workspace lives. Locks: none. Index: workspace_directory_pkey. Rows: one. */
const findCell = statement<[workspaceId: string], { readonly cellId: string }>(
  'find-cell-of-workspace',
  `select cell_id as "cellId" from workspace_directory where workspace_id = $1::uuid`,
);

/** Directory entries are small and never change here, so many fit: 100,000 of them are some 10 MB. */
const DIRECTORY_CACHE_MAX = 100_000;

/** Knows the cells, holds one DataSource for each, and finds the cell of a workspace. For `Db` and migrations. */
export class Cells {
  readonly #sources = new Map<string, Promise<DataSource>>();
  readonly #directory = new Map<string, string>();

  constructor(
    readonly home: DataSource,
    private readonly connect: {
      readonly url: string;
      readonly poolSize: number;
      readonly applicationName: string;
    },
  ) {
    this.#sources.set(FIRST_CELL, Promise.resolve(home));
  }

  /** Ids of all cells, the first one first. */
  async list(): Promise<readonly { readonly id: string; readonly acceptsTenants: boolean }[]> {
    const result = await poolOf(this.home).query(listCells.text);
    return result.rows as { readonly id: string; readonly acceptsTenants: boolean }[];
  }

  /** The DataSource of a cell, opened at its first use. */
  source(cellId: string): Promise<DataSource> {
    const known = this.#sources.get(cellId);
    if (known) return known;
    if (!isCellId(cellId)) throw new Error(`"${cellId}" cannot name a cell.`);
    const opening = new DataSource(
      cellDataSourceOptions({ ...this.connect, cellId, entities: this.home.options.entities ?? [] }),
    ).initialize();
    this.#sources.set(cellId, opening);
    // A failed opening must not be remembered: the next caller tries again.
    opening.catch(() => this.#sources.delete(cellId));
    return opening;
  }

  /** The cell a workspace was placed in. Throws request.not_found for an unknown workspace. */
  async of(workspaceId: string): Promise<string> {
    const known = this.#directory.get(workspaceId);
    if (known !== undefined) return known;
    const result = await poolOf(this.home).query(findCell.text, [workspaceId]);
    const [found] = result.rows as { readonly cellId: string }[];
    if (!found) throw new AppError(platformErrors.not_found, { detail: 'No such resource.' });
    if (this.#directory.size >= DIRECTORY_CACHE_MAX) this.#directory.clear();
    this.#directory.set(workspaceId, found.cellId);
    return found.cellId;
  }

  /** Closes the connections of every cell but the first, which belongs to whoever opened it. */
  async close(): Promise<void> {
    const others = [...this.#sources].filter(([id]) => id !== FIRST_CELL).map(([, source]) => source);
    for (const opening of others) await (await opening).destroy();
  }
}
