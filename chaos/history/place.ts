/** A node of a run, in one item of each loop around it. */
export interface Place {
  readonly runId: string;
  readonly nodeId: string;
  /** Empty outside of loops, else the numbers of the items from the outermost on, as `3.1`. */
  readonly iteration: string;
}

/** A place within its run, as graphs name it: `book`, or `book:3.1` in a loop. */
export function placeName({ nodeId, iteration }: Omit<Place, 'runId'>): string {
  return iteration === '' ? nodeId : `${nodeId}:${iteration}`;
}

/** The place of a name. */
export function placeNamed(runId: string, name: string): Place {
  const [nodeId = '', iteration = ''] = name.split(':');
  return { runId, nodeId, iteration };
}

/** What tells a place from all others. */
export function placeKey(place: Place): string {
  return `${place.runId} ${placeName(place)}`;
}

/** The iteration of the frame that lies so many loops deep around a place. */
export function frameAt(depth: number, iteration: string): string {
  return iteration.split('.').slice(0, depth).join('.');
}

/** Whether an iteration is one of a frame, or lies inside of it. */
export function isWithin(frame: string, iteration: string): boolean {
  return frame === '' || iteration === frame || iteration.startsWith(`${frame}.`);
}
