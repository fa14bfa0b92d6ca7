import { UsageError } from './command';

/** The two histories of migrations. */
export type Plane = 'control' | 'cell';

/** Parses the value of `--plane`. Throws UsageError. */
export function parsePlane(given: string): Plane {
  if (given === 'control' || given === 'cell') return given;
  throw new UsageError(`--plane is "${given}", and there are only control and cell.`);
}
