import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DataFolderInUseError, EmbeddedPostgresError, errorCode } from './embedded-postgres-error';

// Whether a holder still lives is a question to the kernel, not to a process id, which may have been given to another:
// a holder listens on a Unix socket that nobody else ever had (its name is random), and the kernel closes it with the
// process, however that ends. To whom the folder belongs is told by numbered links, `1 -> <socket>`, `2 -> <socket>`:
//
//   the highest number counts, and it holds as long as its socket answers;
//   who finds the highest dead makes the next number, which succeeds for one process only (a link is made whole or not
//   at all, and never replaces another), and looks again: a still higher one means that it came too late;
//   the highest link is never removed, not even on release. So the numbers never go back, and nobody who acts on an old
//   view of the folder can make a link that counts.
//
// Removing the link of a dead holder and making one's own under the same name, the obvious way, has a gap between the
// two in which the link of a third process is removed.

/** The longest address that every kernel takes for a Unix socket: 104 bytes with their NUL on macOS, 108 on Linux. */
const MAX_ADDRESS_BYTES = 100;

/** A data folder held by this process. */
export interface FolderLock {
  /** Lets the next one in. Never fails, and does nothing the second time. */
  release(): Promise<void>;
}

interface Claim {
  readonly generation: number;
  readonly holder: string;
}

/**
 * Holds the folder `path` (made if missing) until released or until this process ends, in whatever way. Throws
 * `EmbeddedPostgresError`, naming `dataDir` and the process, while another one holds it.
 */
export async function lockFolder(path: string, dataDir: string): Promise<FolderLock> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const room = new LockRoom(path);
  try {
    for (;;) {
      const lock = await tryToHold(room, dataDir);
      if (lock !== undefined) return lock;
    }
  } catch (error) {
    room.close();
    throw error;
  }
}

/** One attempt. Undefined means that another process was quicker and that the folder has to be looked at again. */
async function tryToHold(room: LockRoom, dataDir: string): Promise<FolderLock | undefined> {
  const last = room.newestClaim();
  if (last !== undefined && (await isListening(room.addressOf(last.holder)))) {
    const [pid] = last.holder.split('-');
    throw new DataFolderInUseError(
      `The data folder ${dataDir} is in use by another Millrace (process ${pid}).`,
    );
  }
  const holder = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const server = await listen(room.addressOf(holder), dataDir);
  const claim: Claim = { generation: (last?.generation ?? 0) + 1, holder };
  if (!room.make(claim) || room.newestClaim()?.generation !== claim.generation) {
    room.withdraw(claim);
    await close(server);
    return undefined;
  }
  room.removeOlderThan(claim);
  let released: Promise<void> | undefined;
  return {
    release: () => (released ??= close(server).then(() => room.close())),
  };
}

/** The folder with the links and the sockets. */
class LockRoom {
  readonly #path: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'r');
  }

  /** An address of the socket that is short enough: on Linux any open folder has a short name in /proc. */
  addressOf(holder: string): string {
    const address = join(this.#path, holder);
    if (Buffer.byteLength(address) <= MAX_ADDRESS_BYTES) return address;
    if (process.platform === 'linux') return `/proc/self/fd/${this.#descriptor}/${holder}`;
    throw new EmbeddedPostgresError(
      `The path ${this.#path} is too long for a socket on this system: choose a data folder with a shorter path.`,
    );
  }

  claims(): readonly Claim[] {
    const numbers = readdirSync(this.#path).filter((name) => /^[1-9]\d{0,14}$/.test(name));
    return numbers.flatMap((name) => {
      const holder = this.#holderOf(name);
      return holder === undefined ? [] : [{ generation: Number(name), holder }];
    });
  }

  newestClaim(): Claim | undefined {
    return this.claims().reduce<Claim | undefined>(
      (newest, claim) => (newest === undefined || claim.generation > newest.generation ? claim : newest),
      undefined,
    );
  }

  make(claim: Claim): boolean {
    try {
      symlinkSync(claim.holder, this.#linkOf(claim));
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Takes back a claim that came too late, if it is there and our own. */
  withdraw(claim: Claim): void {
    if (this.#holderOf(String(claim.generation)) === claim.holder)
      rmSync(this.#linkOf(claim), { force: true });
  }

  removeOlderThan(newest: Claim): void {
    for (const claim of this.claims()) {
      if (claim.generation >= newest.generation) continue;
      rmSync(this.#linkOf(claim), { force: true });
      rmSync(join(this.#path, claim.holder), { force: true });
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #linkOf(claim: Claim): string {
    return join(this.#path, String(claim.generation));
  }

  /** Undefined if the link went away meanwhile, which only happens to a link that no longer counts. */
  #holderOf(name: string): string | undefined {
    try {
      return readlinkSync(join(this.#path, name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Asks the kernel only: a holder that is stopped, or too busy to accept, is still a holder. */
function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = errorCode(error);
      // On any other answer (no right to connect, a full queue) we do not know, and then the folder is not ours.
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function listen(address: string, dataDir: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      reject(
        new EmbeddedPostgresError(
          `The data folder ${dataDir} cannot be locked (${errorCode(error) ?? error.message}): its file system must support Unix sockets.`,
          { cause: error },
        ),
      );
    });
    server.listen(address, () => resolve(server));
    // Holding a folder is no reason for a process to go on living.
    server.unref();
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
