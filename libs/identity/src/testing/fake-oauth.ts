import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration, Provider } from 'oidc-provider';

/** Somebody with an account at the provider. */
export interface FakePerson {
  readonly subject: string;
  readonly email: string;
  readonly verified: boolean;
  readonly name: string;
}

const CLIENT = { clientId: 'millrace', clientSecret: 'a secret of the operator' } as const;

/** A real OpenID Connect provider (or, like GitHub, a plain OAuth one with an API) on a free port of this machine. */
export interface FakeOAuth {
  /** Where it listens. */
  readonly origin: string;
  /** Who is at the keyboard; null: they refuse. */
  person: FakePerson | null;
  /** Requests to these paths are answered with 500 instead. */
  readonly broken: Set<string>;
  /** What the provider was asked at its authorization endpoint. */
  readonly asked: URL[];
  /** Follows an address as a browser does, until it leads back to the redirect address; signs in on the way. */
  browse(location: string): Promise<URL>;
  close(): Promise<void>;
}

/** Starts one; the client it knows comes back to `redirectUri`. */
export async function startFakeOAuth(kind: 'google' | 'github', redirectUri: string): Promise<FakeOAuth> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const fake: FakeOAuth = {
    origin,
    person: null,
    broken: new Set(),
    asked: [],
    browse: (location) => browse(location, redirectUri),
    close: () => closed(server),
  };
  const people = new Map<string, FakePerson>();
  // GitHub's endpoints lie under its issuer, `…/login/oauth`; Google's issuer is its origin.
  const mount = kind === 'github' ? '/login/oauth' : '';
  const provider = await quietly(async () => {
    const oidc = await import('oidc-provider');
    return new oidc.Provider(`${origin}${mount}`, configuration(kind, redirectUri, people));
  });
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', origin);
    if (fake.broken.has(pathname)) {
      response.writeHead(500).end('out of order');
    } else if (pathname.startsWith('/interaction/')) {
      void signIn({ provider, fake, people }, request, response);
    } else if (pathname.startsWith('/api/')) {
      void api({ provider, fake, people }, request, response);
    } else {
      if (pathname.endsWith('/authorize') || pathname === '/auth')
        fake.asked.push(new URL(request.url ?? '', origin));
      Object.assign(request, { originalUrl: request.url, url: (request.url ?? '').slice(mount.length) });
      void handle(request, response);
    }
  });
  return fake;
}

/** The environment of an installation that uses a fake. */
export function environmentFor(kind: 'google' | 'github', origin: string): Record<string, string> {
  if (kind === 'google') {
    return {
      GOOGLE_CLIENT_ID: CLIENT.clientId,
      GOOGLE_CLIENT_SECRET: CLIENT.clientSecret,
      GOOGLE_ISSUER_URL: origin,
    };
  }
  return {
    GITHUB_CLIENT_ID: CLIENT.clientId,
    GITHUB_CLIENT_SECRET: CLIENT.clientSecret,
    GITHUB_URL: origin,
    GITHUB_API_URL: `${origin}/api`,
  };
}

function configuration(
  kind: 'google' | 'github',
  redirectUri: string,
  people: ReadonlyMap<string, FakePerson>,
): Configuration {
  const github = kind === 'github';
  const scope = github ? 'read:user user:email' : 'openid email profile';
  return {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
        scope,
      },
    ],
    cookies: { keys: ['a key of the test'] },
    scopes: ['openid', ...(github ? scope.split(' ') : [])],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    // As Google does: address and name are in the ID token itself.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    ...(github ? { routes: { authorization: '/authorize', token: '/access_token' } } : {}),
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      Session: 600,
    },
    findAccount: (_, subject) => {
      const person = people.get(subject);
      return (
        person && {
          accountId: subject,
          claims: () => ({
            sub: subject,
            email: person.email,
            email_verified: person.verified,
            name: person.name,
          }),
        }
      );
    },
    // Nobody is asked for consent: whoever signs in has given it.
    loadExistingGrant: async ({ oidc }) => {
      const { client, session, provider } = oidc;
      if (!client || !session?.accountId) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(scope);
      await grant.save();
      return grant;
    },
  };
}

interface Desk {
  readonly provider: Provider;
  readonly fake: FakeOAuth;
  readonly people: Map<string, FakePerson>;
}

async function signIn({ provider, fake, people }: Desk, request: IncomingMessage, response: ServerResponse) {
  const { person } = fake;
  if (person) people.set(person.subject, person);
  const result = person
    ? { login: { accountId: person.subject } }
    : { error: 'access_denied', error_description: 'They thought better of it.' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

/** GitHub's API as far as signing in needs it: only a real access token of the provider opens it. */
async function api(
  { provider, people }: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, bearer = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const token = await provider.AccessToken.find(bearer);
  const person = token && people.get(token.accountId);
  if (!person) return void response.writeHead(401, { 'content-type': 'application/json' }).end('{}');
  const answer =
    request.url === '/api/user'
      ? { id: Number(person.subject), login: 'ada', name: person.name }
      : [
          { email: 'old@example.com', primary: false, verified: true },
          { email: person.email, primary: true, verified: person.verified },
        ];
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

/** A browser of its own for each journey: it keeps the provider's cookies and stops where the journey leaves it. */
async function browse(location: string, redirectUri: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(location);
  for (let hop = 0; hop < 10; hop += 1) {
    if (url.href.startsWith(`${redirectUri}?`)) return url;
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ''] = set.split(';', 1);
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const next = answer.headers.get('location');
    if (next === null) throw new Error(`${url.pathname} answered ${answer.status}: ${await answer.text()}`);
    url = new URL(next, url);
  }
  throw new Error('The journey did not come to an end.');
}

/** The provider warns that its keys are for development and that it would like a newer Node: here both will do. */
async function quietly<T>(make: () => Promise<T>): Promise<T> {
  const spies = (['warn', 'info'] as const).map((level) =>
    jest.spyOn(console, level).mockImplementation(() => undefined),
  );
  try {
    return await make();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}
