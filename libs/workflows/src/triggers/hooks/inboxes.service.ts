import { Injectable } from '@nestjs/common';
import { Clock, Db } from '#platform';
import { Engine } from '../../engine/engine';
import { Gates } from '../../engine/gates';
import type { Arrival } from './arrival';
import { Inbox, type Settled } from './inbox';

/** The inbox of each cell in this process. */
@Injectable()
export class Inboxes {
  readonly #inboxes = new Map<string, Inbox>();

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly engine: Engine,
    private readonly gates: Gates,
  ) {}

  /** Stores a delivery with its run in the cell of its workspace; see `Inbox`. */
  async store(arrival: Arrival): Promise<Settled> {
    return this.#of(await this.db.cellOf(arrival.workspaceId)).store(arrival);
  }

  #of(cellId: string): Inbox {
    const known = this.#inboxes.get(cellId);
    if (known) return known;
    const { clock, engine, gates } = this;
    const inbox = new Inbox({ clock, engine, gates }, cellId);
    this.#inboxes.set(cellId, inbox);
    return inbox;
  }
}
