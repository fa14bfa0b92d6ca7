import { execFileSync } from 'node:child_process';

interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function listed(): readonly ListedProcess[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split(
    '\n',
  );
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie has ended; that nobody collected it is the business of whoever started it.
    if (pid === undefined || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }];
  });
}

/** Those of the processes that live. */
export function alive(pids: readonly number[]): readonly number[] {
  const all = new Set(listed().map(({ pid }) => pid));
  return pids.filter((pid) => all.has(pid));
}

/** A process with all it has started, and what those have started. */
export function familyOf(pid: number): readonly number[] {
  const all = listed();
  const family = [pid];
  for (const member of family) {
    family.push(...all.filter(({ parent }) => parent === member).map((child) => child.pid));
  }
  return family;
}

/** Command lines that name a data folder: its server, or what makes its cluster. */
export function processesOn(dataDir: string): readonly string[] {
  return listed()
    .filter(({ command }) => command.includes(dataDir))
    .map(({ command }) => command);
}
