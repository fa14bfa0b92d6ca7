import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  AllowedMethods,
  installBodyParsers,
  installHttpHooks,
  ProblemFilter,
  SchemaValidationPipe,
} from '#platform';
import { CollectingLogger } from '#platform/testing';
import type { SignedIn } from '../auth/auth.dto';
import { aSignUp, type Environment, type IdentityApp, useIdentityApp } from './identity-app';

const BODY_LIMIT_BYTES = 64 * 1024;

/** The identity application behind the platform's guards, parsers, validation and problem documents. */
export function useIdentityHttp(
  environment: Environment | (() => Environment) = {},
  poolSize = 1,
): () => IdentityApp {
  return useIdentityApp({
    environment,
    poolSize,
    configure: (app: NestFastifyApplication) => {
      const allowedMethods = new AllowedMethods();
      installHttpHooks(app.getHttpAdapter().getInstance(), allowedMethods);
      installBodyParsers(app, BODY_LIMIT_BYTES);
      app.useGlobalFilters(new ProblemFilter(allowedMethods, new CollectingLogger()));
      app.useGlobalPipes(new SchemaValidationPipe());
    },
  });
}

/** What a request carries beside its method and path. */
interface Sent {
  readonly body?: object;
  /** A session token or API key. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends requests to an application: JSON in; status, headers, text and JSON out. */
export function httpOf(identity: IdentityApp) {
  const send = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    { body, as, headers }: Sent = {},
  ) => {
    const answer = await identity.app.inject({
      method,
      url,
      headers: { ...(as === undefined ? {} : { authorization: `Bearer ${as}` }), ...headers },
      ...(body ? { payload: body } : {}),
    });
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      json: isJson ? answer.json() : null,
    };
  };
  return {
    get: (url: string, sent?: Sent) => send('GET', url, sent),
    post: (url: string, body: object = {}, sent: Sent = {}) => send('POST', url, { ...sent, body }),
    patch: (url: string, body: object, sent: Sent = {}) => send('PATCH', url, { ...sent, body }),
    delete: (url: string, sent?: Sent) => send('DELETE', url, sent),
    /** Posts the form of one of our pages. */
    submit: async (url: string, fields: Readonly<Record<string, string>>) => {
      const answer = await identity.app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(fields).toString(),
      });
      return { status: answer.statusCode, text: answer.body };
    },
  };
}

/** Somebody who has just signed up, as tests know them. */
export async function signedUp(identity: IdentityApp) {
  const body = aSignUp(`ada-${randomUUID()}@example.com`);
  const { json } = await httpOf(identity).post('/v1/auth/sign-up', body);
  const { token, user }: SignedIn = json;
  return { ...body, token, userId: user.id };
}
