import { randomUUID } from 'node:crypto';
import { type ApiClient, expectStatus } from './api-client';

/** Somebody who has signed up, with a client that acts as them. */
export interface Account {
  readonly api: ApiClient;
  readonly token: string;
  readonly userId: string;
  /** The workspace they got when they signed up. */
  readonly workspaceId: string;
  /** Path of that workspace. */
  readonly home: string;
}

/** Signs somebody up. */
export async function signUp(server: ApiClient): Promise<Account> {
  const answer = await server.post('/v1/auth/sign-up', {
    email: `${randomUUID()}@example.com`,
    password: 'a mill beside the river',
    acceptTerms: '1.0',
  });
  const { token, user } = expectStatus(answer, 201);
  const api = server.as(token);
  const { data } = expectStatus(await api.get('/v1/workspaces'), 200);
  if (data.length !== 1) throw new Error(`Somebody new has ${data.length} workspaces, not one.`);
  const workspaceId: string = data[0].id;
  return { api, token, userId: user.id, workspaceId, home: `/v1/workspaces/${workspaceId}` };
}

/** An API key of the account's workspace. */
export async function apiKeyOf({ api, home }: Account, role: string): Promise<{ id: string; key: string }> {
  const answer = await api.post(`${home}/api-keys`, { name: `${role} for tests`, role });
  const { apiKey, key } = expectStatus(answer, 201);
  return { id: apiKey.id, key };
}
