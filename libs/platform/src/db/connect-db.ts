import { DataSource } from 'typeorm';
import type { Config } from '../config/config';
import { Cells } from './cells';
import { cellDataSourceOptions, FIRST_CELL } from './data-source';
import { Db } from './db';

/** Lends a `Db` to a command, which needs no application around it, for as long as its work takes. */
export async function withDb<T>(url: string, { values }: Config, work: (db: Db) => Promise<T>): Promise<T> {
  const connect = { url, poolSize: 2, applicationName: 'millrace-command' };
  const home = await new DataSource(cellDataSourceOptions({ ...connect, cellId: FIRST_CELL })).initialize();
  const cells = new Cells(home, connect);
  try {
    return await work(new Db(cells, { namedStatements: values.databaseNamedStatements }));
  } finally {
    await cells.close();
    await home.destroy();
  }
}
