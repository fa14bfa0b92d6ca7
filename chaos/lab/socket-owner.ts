import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Which of some processes holds the other end of a connection to us over 127.0.0.1. Null where the kernel does not tell
 * (not Linux), or when the process has gone.
 */
export function ownerOfConnection(
  { theirPort, ourPort }: { readonly theirPort: number; readonly ourPort: number },
  processes: ReadonlyMap<number, string>,
): string | null {
  const inode = inodeOf(theirPort, ourPort);
  if (inode === null) return null;
  const link = `socket:[${inode}]`;
  for (const [pid, name] of processes) if (holds(pid, link)) return name;
  return null;
}

function inodeOf(theirPort: number, ourPort: number): string | null {
  const [local, remote] = [theirPort, ourPort].map((port) =>
    port.toString(16).toUpperCase().padStart(4, '0'),
  );
  for (const line of tableOfConnections()) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === `0100007F:${local}` && fields[2] === `0100007F:${remote}`) return fields[9] ?? null;
  }
  return null;
}

function tableOfConnections(): readonly string[] {
  try {
    return readFileSync('/proc/net/tcp', 'latin1').split('\n');
  } catch {
    return [];
  }
}

function holds(pid: number, link: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((descriptor) => targetOf(`${folder}/${descriptor}`) === link);
  } catch {
    return false;
  }
}

/** A descriptor may be closed while we look. */
function targetOf(descriptor: string): string | null {
  try {
    return readlinkSync(descriptor);
  } catch {
    return null;
  }
}
