import { defineErrors } from './app-error';

/** Errors that any route can answer with. */
export const platformErrors = defineErrors('request', {
  invalid: { kind: 'invalid', title: 'The request is not valid' },
  malformed_json: { kind: 'invalid', title: 'The body is not valid JSON' },
  unsupported_media_type: { kind: 'unsupported_media_type', title: 'The content type is not supported' },
  too_large: { kind: 'too_large', title: 'The body is too large' },
  unauthenticated: { kind: 'unauthenticated', title: 'Authentication is needed' },
  forbidden: { kind: 'forbidden', title: 'This is not allowed for your role' },
  not_found: { kind: 'not_found', title: 'Not found' },
  conflict: { kind: 'conflict', title: 'The request conflicts with the current state' },
  precondition_failed: { kind: 'precondition_failed', title: 'The resource has changed' },
  idempotency_key_reused: {
    kind: 'unprocessable',
    title: 'The Idempotency-Key was used with another request',
  },
  too_many: { kind: 'limit', title: 'Too many requests' },
  unavailable: { kind: 'unavailable', title: 'A service we depend on is not available' },
  internal: { kind: 'bug', title: 'Something went wrong on our side' },
});
