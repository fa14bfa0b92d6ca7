import { barrier } from '#platform/testing';
import { httpOf, useIdentityHttp } from '../testing/http';
import { aSignUp, type IdentityApp } from '../testing/identity-app';

const optionsOf = async (app: IdentityApp) => (await httpOf(app).get('/v1/auth/options')).json;
const join = (app: IdentityApp, email: string) => httpOf(app).post('/v1/auth/waitlist', { email });
const signUp = (app: IdentityApp) => httpOf(app).post('/v1/auth/sign-up', aSignUp('ada@example.com'));

describe('An installation with a waiting list', () => {
  const identity = useIdentityHttp({ SIGNUP_MODE: 'waitlist', TERMS_VERSION: '3.1' }, 10);

  it('keeps an address once, and answers again as at first', async () => {
    const first = await join(identity(), 'Ada@example.com');
    const again = await join(identity(), ' aDA@example.com');
    expect(first.status).toBe(202);
    expect(again).toMatchObject({ status: 202, text: first.text });
    const rows = await identity().sql('select email from waitlist_entries');
    expect(rows).toEqual([{ email: 'Ada@example.com' }]);
  });

  /** Control: without `on conflict` all but one are answered with 500. */
  it('keeps one of ten that come at a time', async () => {
    const arrive = barrier(10);
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        await arrive();
        return join(identity(), 'grace@example.com');
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202));
    const rows = await identity().sql(`select from waitlist_entries where email = 'grace@example.com'`);
    expect(rows).toHaveLength(1);
  });

  it('tells whoever signs up uninvited what to do instead', async () => {
    const answer = await signUp(identity());
    expect(answer).toMatchObject({ status: 403, json: { code: 'identity.sign_up_closed' } });
    expect(answer.json.detail).toContain('POST /v1/auth/waitlist');
  });

  it('says how to sign up and in', async () => {
    expect(await optionsOf(identity())).toEqual({
      signupMode: 'waitlist',
      termsVersion: '3.1',
      passwordRules: { minLength: 10, maxLength: 128, mayBeEmail: false },
      providers: [],
    });
  });
});

describe.each([
  ['open', 'Sign up at once.'],
  ['invite', 'Ask a member to invite you.'],
])('An installation whose sign-up is %s', (mode, instead) => {
  const identity = useIdentityHttp({ SIGNUP_MODE: mode });

  it('has no waiting list, and says what to do instead', async () => {
    const answer = await join(identity(), 'ada@example.com');
    expect(answer).toMatchObject({ status: 403, json: { code: 'identity.waitlist_closed' } });
    expect(answer.json.detail).toContain(instead);
    expect(await identity().sql('select from waitlist_entries')).toEqual([]);
    expect(await optionsOf(identity())).toMatchObject({ signupMode: mode });
    expect((await signUp(identity())).status).toBe(mode === 'open' ? 201 : 403);
  });
});
