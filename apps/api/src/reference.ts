import { SESSION_COOKIE } from '#identity';
import type { OperationText } from '#platform';
import operations from './operations.json';

/** What each operation does, from the comments above their handlers. */
const texts: Readonly<Record<string, OperationText>> = operations;

/** What the API's reference says: of its groups of routes, in the order in which somebody new meets them, and of each. */
export const reference = {
  sessionCookie: SESSION_COOKIE,
  tags: {
    auth: [
      'Signing up, in and out; proving an address; choosing a new password. A sign-in answers with a token for',
      '`Authorization: Bearer`, and sets it as a cookie for browsers. Where a second factor is set up it answers with a',
      '`challenge` first. Routes that could be used for guessing or flooding are limited by address and by account: see',
      '`x-rate-limits`, and the headers `RateLimit-Policy`, `RateLimit` and `Retry-After`.',
    ].join(' '),
    account: [
      'The own account of whoever is signed in: profile, password, address, sessions, second factor, other ways to sign',
      'in, what was tried, and the deletion. API keys are refused here.',
    ].join(' '),
    workspaces: [
      'Workspaces, their members and roles, and who changed what. Roles: owner > admin > member > viewer; each route',
      'says in `x-permission` what it needs. A workspace that is missing, deleted or none of yours is one and the same 404.',
    ].join(' '),
    invitations: [
      'Letting others in: by a mail to one address, or by a link that may be shared. Tokens are in mails and links only;',
      '`GET /i/{token}` says what one is for, `POST /v1/invitations/accept` follows it.',
    ].join(' '),
    'api-keys':
      "Programs act by API keys: with a role, scopes, or both, and in one workspace. A key dies with its maker's right to make it.",
    workflows: 'Authoring: graphs, drafts, versions, what they are started by.',
    runs: 'Starting, watching and stopping runs.',
    hooks: 'Where senders of webhooks call.',
    billing: 'What a workspace may use, and has used.',
  },
  operations: texts,
};
