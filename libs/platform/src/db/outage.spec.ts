import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { isOutage, outlastOutage } from './outage';

const away = new AppError(platformErrors.unavailable, { detail: 'Away.' });
const wrong = new AppError(platformErrors.not_found, { detail: 'Wrong.' });

describe('outlastOutage', () => {
  it('does the work again until the database is back, and gives what comes then', async () => {
    const answers = [away, away, 'back'];
    const work = async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    };
    await expect(outlastOutage(undefined, work)).resolves.toBe('back');
  });

  it('throws any other error at once', async () => {
    let asked = 0;
    const work = () => {
      asked += 1;
      return Promise.reject(wrong);
    };
    await expect(outlastOutage(undefined, work)).rejects.toBe(wrong);
    expect(asked).toBe(1);
  });

  it('gives up with the outage once nobody waits any more', async () => {
    const abort = new AbortController();
    let asked = 0;
    const work = () => {
      asked += 1;
      if (asked === 2) abort.abort();
      return Promise.reject(away);
    };
    await expect(outlastOutage(abort.signal, work)).rejects.toBe(away);
    expect(asked).toBe(2);
    await expect(outlastOutage(abort.signal, work)).rejects.toBe(away);
    expect(asked).toBe(3);
  });

  it('tells an outage from what is somebody’s fault', () => {
    expect([away, wrong, new Error('x'), null].map(isOutage)).toEqual([true, false, false, false]);
  });
});
