import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { builtProgram } from './built-application';

/** A process that has not said that it is ready by then never will. */
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Environment = Readonly<Record<string, string>>;

/** How a process is started, where the ordinary way does not do. */
export interface SpawnOptions {
  /** Instead of the built application's main program. */
  readonly program?: string;
  /** A CommonJS module that is loaded before the program. The process then has a channel to us. */
  readonly preload?: string;
}

/** Nothing may stay when a test file ends early. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Ends by force what a failed test has left running. */
export async function killLeftProcesses(): Promise<void> {
  const left = [...living].map((child) => once(child, 'close'));
  for (const child of living) child.kill('SIGKILL');
  await Promise.all(left);
}

/** A Millrace in a process of its own: the built application, in an environment that holds only what is given. */
export class MillraceProcess {
  /** Settles when the process has ended and all it printed has been read. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #chunks: { readonly from: 'stdout' | 'stderr'; readonly text: string }[] = [];
  readonly #listeners = new Set<() => void>();
  #url: string | null = null;

  private constructor(command: readonly string[], environment: Environment, channel: 'ipc' | 'ignore') {
    this.#child = spawn(process.execPath, command, {
      env: { PATH: process.env['PATH'] ?? '', PORT: '0', DRAIN_SECONDS: '3', ...environment },
      stdio: ['ignore', 'pipe', 'pipe', channel],
    });
    living.add(this.#child);
    for (const from of ['stdout', 'stderr'] as const) {
      this.#child[from]?.setEncoding('utf8').on('data', (text: string) => this.#printed(from, text));
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        living.delete(this.#child);
        resolve({ code, signal });
      });
    });
  }

  /** Begins a start and returns at once. */
  static spawn(environment: Environment, options: SpawnOptions = {}): MillraceProcess {
    const { program = builtProgram('main'), preload } = options;
    if (preload === undefined) return new MillraceProcess([program], environment, 'ignore');
    return new MillraceProcess(['-r', preload, program], environment, 'ipc');
  }

  /** Starts a Millrace that takes requests. Throws, with all it printed, when it does not come so far. */
  static async start(environment: Environment): Promise<MillraceProcess> {
    const started = MillraceProcess.spawn(environment);
    await started.ready();
    return started;
  }

  /** Runs one of the command line programs to its end, and gives what it printed. Throws unless it exits with 0. */
  static async run(program: string, args: readonly string[], environment: Environment): Promise<string> {
    const running = new MillraceProcess([builtProgram(program), ...args], environment, 'ignore');
    const { code } = await running.ended;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}:\n${running.output}`);
    return running.output;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('The process was not started.');
    return pid;
  }

  /** Where it listens. Known once it is ready. */
  get url(): string {
    if (this.#url === null) throw new Error(`The process is not ready:\n${this.output}`);
    return this.#url;
  }

  /** Everything printed so far. */
  get output(): string {
    return this.#chunks.map(({ text }) => text).join('');
  }

  get errorOutput(): string {
    return this.#chunks.flatMap(({ from, text }) => (from === 'stderr' ? [text] : [])).join('');
  }

  async ready(): Promise<void> {
    const [, url] = await this.printed(/Millrace is running at (http:\S+)/);
    this.#url = url?.replace('localhost', '127.0.0.1') ?? null;
  }

  /** Waits until something was printed. Throws when the process ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.output);
        if (found) settle(() => resolve(found));
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`Millrace did not print ${pattern} but ${why}:\n${this.output}`)));
      const timer = setTimeout(() => fail(`said nothing for ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
      const settle = (answer: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        answer();
      };
      this.#listeners.add(look);
      this.ended.then(({ code, signal }) => fail(`ended with ${signal ?? code}`), reject);
      look();
    });
  }

  /** Sends a signal and waits for the end; by force after half a minute. */
  async kill(signal: NodeJS.Signals): Promise<ProcessEnd> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  /** Sends a signal that the process survives. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Tells the module that was loaded before the program; does nothing once the process has ended. */
  tell(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Calls the listener with whatever that module tells. */
  onTold(listener: (message: unknown) => void): void {
    this.#child.on('message', listener);
  }

  /** Stops it in good order; does nothing to one that has ended. */
  async stop(): Promise<void> {
    if (living.has(this.#child)) await this.kill('SIGTERM');
  }

  #printed(from: 'stdout' | 'stderr', text: string): void {
    this.#chunks.push({ from, text });
    for (const look of this.#listeners) look();
  }
}
