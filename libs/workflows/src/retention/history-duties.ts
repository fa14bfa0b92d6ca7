import type { Clock, Db, Logger, LoopDuty } from '#platform';
import type { RunLimits } from '../ports';
import { historyMarker } from './history-marks';
import { partitionDropper } from './partition-dropper';
import { partitionKeeper } from './partition-keeper';
import { storageBudget } from './storage-budget';
import { strayPurger } from './stray-purger';

/** Everything that keeps the history of a cell in shape. */
export function historyDuties(
  services: { readonly db: Db; readonly clock: Clock; readonly logger: Logger; readonly limits: RunLimits },
  cellId: string,
): readonly LoopDuty[] {
  const classes = () => services.limits.retentionClasses();
  return [
    partitionKeeper({ ...services, classes }, cellId),
    partitionDropper(services, cellId),
    strayPurger(services, cellId),
    storageBudget(services, cellId),
    historyMarker(services, cellId),
  ];
}
