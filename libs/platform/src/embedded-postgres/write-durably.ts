import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a small private file (mode 0600) so that a crash leaves the old one or the new one, never half of it. */
export function writeDurably(file: string, content: string): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameDurably(draft, file);
}

/** A rename that a power failure does not undo: the folder that holds the name is synced too. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  const descriptor = openSync(dirname(to), 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
