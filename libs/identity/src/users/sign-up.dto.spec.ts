import { signUpBody } from './sign-up.dto';

const body = { email: 'ada@example.com', password: 'correct horse battery', acceptTerms: '1.0' };

function complaintsOf(changed: object): readonly string[] {
  const parsed = signUpBody.safeParse({ ...body, ...changed });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('/')}: ${message}`);
}

describe('A sign-up', () => {
  it('needs an address, a password and the terms', () => {
    expect(signUpBody.parse({ ...body, email: '  ada@example.com ' })).toEqual(body);
    expect(complaintsOf({ email: 'ada' })).toEqual([
      'email: must be an e-mail address, like name@example.com',
    ]);
    expect(complaintsOf({ acceptTerms: true })).toHaveLength(1);
  });

  it.each(['provider', 'role', 'plan', 'emailVerified', 'settings', 'id'])(
    'does not let the client choose %s',
    (key) => {
      expect(complaintsOf({ [key]: 'x' })).toEqual([`: Unrecognized key: "${key}"`]);
    },
  );

  it('says what is wrong with a password', () => {
    expect(complaintsOf({ password: 'short' })).toEqual(['password: must have at least 10 characters']);
    expect(complaintsOf({ password: 'x'.repeat(129) })).toEqual([
      'password: must have at most 128 characters',
    ]);
    expect(complaintsOf({ password: ' ADA@example.com' })).toEqual([
      'password: must not be your e-mail address',
    ]);
  });

  it('takes names on one line only', () => {
    expect(complaintsOf({ name: 'Ada\r\nBcc: all@example.com' })).toEqual([
      'name: must not contain control characters',
    ]);
    expect(complaintsOf({ workspaceName: '   ' })).toEqual(['workspaceName: must not be empty']);
  });
});
