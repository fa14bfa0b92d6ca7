import type { EntityManager } from 'typeorm';
import type { Tx } from './tx';

const managers = new WeakMap<Tx, EntityManager>();

/** For `Db` alone: remembers which EntityManager works inside a transaction. */
export function bindManager(tx: Tx, manager: EntityManager): void {
  managers.set(tx, manager);
}

/** The EntityManager of an open transaction. Only `*.repository.ts` files may import this. */
export function managerOf(tx: Tx): EntityManager {
  const manager = managers.get(tx);
  if (!manager) throw new Error('This transaction is not open.');
  return manager;
}
