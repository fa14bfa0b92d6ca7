import type { IdentityApp } from './identity-app';

/** An answer as a browser gets it. */
export interface BrowserAnswer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  /** The cookies that the answer set, as they came. */
  readonly cookiesSet: readonly string[];
}

/** A browser at our own site: it keeps cookies, and follows no redirect by itself. */
export class TestBrowser {
  readonly cookies = new Map<string, string>();

  constructor(private readonly identity: () => IdentityApp) {}

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> {
    return this.#send({ method: 'GET', url, headers });
  }

  /** Presses the button of a page's form. */
  post(
    url: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BrowserAnswer> {
    const payload = new URLSearchParams(fields).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.#send({ method: 'POST', url, headers: { ...type, ...headers }, payload });
  }

  /** The same cookies in a browser of its own. */
  copy(): TestBrowser {
    const other = new TestBrowser(this.identity);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  get session(): string | null {
    return this.cookies.get('millrace_session') ?? null;
  }

  async #send(request: {
    readonly method: 'GET' | 'POST';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly payload?: string;
  }): Promise<BrowserAnswer> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.identity().app.inject({
      ...request,
      headers: { ...request.headers, ...(cookie === '' ? {} : { cookie }) },
    });
    const cookiesSet = [answer.headers['set-cookie'] ?? []].flat();
    for (const set of cookiesSet) this.#keep(set);
    return {
      status: answer.statusCode,
      location: String(answer.headers.location ?? ''),
      text: answer.body,
      cookiesSet,
    };
  }

  #keep(set: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
    if (value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
