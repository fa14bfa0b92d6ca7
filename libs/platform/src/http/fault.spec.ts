import { NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { AppError, defineErrors, type ErrorKind } from '../errors/app-error';
import { faultOf } from './fault';
import { problemDocument } from './problem';

const kinds: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  limit: 429,
  unavailable: 503,
  bug: 500,
};

describe('faultOf', () => {
  it.each(Object.entries(kinds))('answers errors of kind %s with %i', (kind, status) => {
    const { one } = defineErrors('spec', { one: { kind: kind as ErrorKind, title: 'One' } });
    expect(faultOf(new AppError(one, { detail: 'It is so.' })).status).toBe(status);
  });

  it('says nothing of what it does not know', () => {
    const mistakes = [new Error('password=hunter2'), 'hunter2', null, undefined, { hunter2: 1 }];
    for (const mistake of mistakes) {
      expect(JSON.stringify(faultOf(mistake))).not.toContain('hunter2');
      expect(faultOf(mistake)).toMatchObject({ status: 500, code: 'request.internal' });
    }
  });

  it('keeps the detail of a bug to the log', () => {
    const { bug } = defineErrors('spec', { bug: { kind: 'bug', title: 'Bug' } });
    expect(JSON.stringify(faultOf(new AppError(bug, { detail: 'hunter2' })))).not.toContain('hunter2');
  });

  it('tells callers when to come back, in whole seconds', () => {
    const { full } = defineErrors('spec', { full: { kind: 'limit', title: 'Full' } });
    const fault = faultOf(new AppError(full, { detail: 'Later.', retryAfterSeconds: 0.2 }));
    expect(fault.headers).toEqual({ 'retry-after': '1' });
    expect(faultOf(new ServiceUnavailableException()).headers).toEqual({ 'retry-after': '2' });
  });

  it('speaks of Nest errors in its own words', () => {
    expect(faultOf(new NotFoundException('Cannot GET /x'))).toMatchObject({
      code: 'request.not_found',
      detail: 'There is nothing at this address.',
    });
  });

  it('trusts the 4xx of plugins, not their 5xx', () => {
    expect(faultOf(Object.assign(new Error('Too big.'), { statusCode: 413 })).status).toBe(413);
    expect(faultOf(Object.assign(new Error('hunter2'), { statusCode: 502 })).status).toBe(500);
  });
});

it('does not let meta members overwrite the document', () => {
  const fault = { status: 409, code: 'a.b', title: 'T', detail: 'D', meta: { status: 200, limit: 5 } };
  expect(problemDocument(fault, '/v1/x', 'req-1')).toEqual({
    type: '/problems/a.b',
    title: 'T',
    status: 409,
    detail: 'D',
    code: 'a.b',
    instance: '/v1/x',
    requestId: 'req-1',
    limit: 5,
  });
});
