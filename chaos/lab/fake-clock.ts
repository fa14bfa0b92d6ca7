import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../apps/api/test/support/millrace-process';

/** Where Debian and its kin keep it, by machine. */
const LIBRARIES = '/usr/lib';

/** The library that gives a process another time; null where it is not installed. */
export function fakeTimeLibrary(): string | null {
  if (!existsSync(LIBRARIES)) return null;
  const machines = readdirSync(LIBRARIES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found = machines
    .map(({ name }) => join(LIBRARIES, name, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  return found ?? null;
}

/** How far clocks are moved. */
export const CLOCK_MOVES = ['+3d', '-1d', '+3600', '-3600'] as const;

/** A clock that the lab moves, and the processes that believe it. */
export class FakeClock {
  readonly #file: string;

  constructor(
    folder: string,
    private readonly library: string,
  ) {
    this.#file = join(folder, 'clock');
    this.move('+0');
  }

  /** What a process is started with that is to have this clock. Node's timers need the true monotonic one. */
  get environment(): Environment {
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
    };
  }

  /** Moves it against the true time. */
  move(offset: string): void {
    writeFileSync(this.#file, `${offset}\n`);
  }
}
