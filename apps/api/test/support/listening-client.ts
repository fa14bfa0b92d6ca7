import { type Answer, ApiClient } from './api-client';

/** Remembers all that a server says to its callers, cookies included. */
export class ListeningClient extends ApiClient {
  constructor(
    url: string,
    bearer: string | null,
    readonly heard: string[],
  ) {
    super(url, bearer);
  }

  override as(token: string | null): ListeningClient {
    return new ListeningClient(this.url, token, this.heard);
  }

  override async send(...request: Parameters<ApiClient['send']>): Promise<Answer> {
    const answer = await super.send(...request);
    this.heard.push(answer.text, ...[...answer.headers].map(([, value]) => value));
    return answer;
  }
}
