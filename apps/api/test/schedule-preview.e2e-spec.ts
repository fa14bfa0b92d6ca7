import { signUp } from './support/account';
import { useInstallation } from './support/installation';
import { MillraceProcess } from './support/millrace-process';

jest.setTimeout(60_000);

const acrossTheChange = { cron: '30 2 * * *', timezone: 'Europe/Berlin', from: '2026-03-28', count: 3 };

describe('POST /v1/schedules/preview', () => {
  const installation = useInstallation();

  it('shows whoever is signed in when a schedule fires, and says where one is wrong', async () => {
    const { server } = await installation().start();
    const path = '/v1/schedules/preview';
    expect((await server.as(null).post(path, acrossTheChange)).status).toBe(401);

    const { api } = await signUp(server);
    const shown = await api.post(path, acrossTheChange);
    expect(shown.status).toBe(200);
    expect(shown.body).toEqual({
      fires: [
        { at: '2026-03-28T01:30:00.000Z', local: '2026-03-28T02:30:00+01:00' },
        {
          at: '2026-03-29T01:00:00.000Z',
          local: '2026-03-29T03:00:00+02:00',
          change: 'moved',
          note: 'Clocks are set forward: 2026-03-29 02:30:00 is left out.',
        },
        { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30T02:30:00+02:00' },
      ],
    });

    const wrong = await api.post(path, {
      cron: '0 25 * * *',
      timezone: 'Mars',
      dates: ['x'],
      from: '1969-01-01',
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
      '',
      '/cron',
      '/dates/0',
      '/from',
      '/timezone',
    ]);
    const never = await api.post(path, { cron: '0 0 30 2 *' });
    expect(never.body).toEqual({ fires: [], exhausted: true });
    // Whoever asks too often is told so.
    expect(shown.headers.get('ratelimit')).toContain('schedule-preview');
  });
});

describe('npm run schedule:preview', () => {
  // Neither a database nor anything else to start.
  const run = (...args: readonly string[]) => MillraceProcess.run('cli/schedule-preview', args, {});

  it('prints a table across a clock change', async () => {
    const args = ['30 2 * * *', '--zone', 'Europe/Berlin', '--from', '2026-03-28', '--count', '3'];
    expect((await run(...args)).split('\n')).toEqual([
      'Europe/Berlin                   UTC',
      'Sat 2026-03-28 02:30:00 +01:00  2026-03-28T01:30:00Z',
      'Sun 2026-03-29 03:00:00 +02:00  2026-03-29T01:00:00Z  Clocks are set forward: 2026-03-29 02:30:00 is left out.',
      'Mon 2026-03-30 02:30:00 +02:00  2026-03-30T00:30:00Z',
      '',
    ]);
  });

  it('takes intervals, rules, dates and policies', async () => {
    const every = ['--every', '36 hours', '--start', '2030-01-01', '--count', '2', '--from', '2030-01-01'];
    expect(await run(...every)).toContain('Wed 2030-01-02 12:00:00 +00:00');
    const rrule = [
      '--rrule',
      'FREQ=MONTHLY;BYDAY=-1FR;COUNT=1',
      '--start',
      '2030-01-01T17:00',
      '--from',
      '2030-01-01',
    ];
    expect(await run(...rrule)).toMatch(/Fri 2030-01-25 17:00:00.*\nIt never fires again\.\n$/);
    const gap = [
      '30 2 * * *',
      '--zone',
      'Europe/Berlin',
      '--from',
      '2026-03-29',
      '--gap',
      'shift',
      '--count',
      '1',
    ];
    expect(await run(...gap)).toContain('Sun 2026-03-29 03:30:00 +02:00');
    expect(await run('--date', '2030-05-01T08:00', '--date', '2030-06-01', '--from', '2030-01-01')).toContain(
      'Sat 2030-06-01',
    );
    expect(await run('0 0 31 2 *')).toBe('It never fires.\n');
  });

  it.each([
    [['0 25 * * *'], 'The cron expression: In the hours, "25" is out of range: use 0 to 23'],
    [['@daily', '--zone', 'Mars'], '--zone: "Mars" is no time zone'],
    [
      ['--every', 'fortnight'],
      '--every: "fortnight" is not understood. Write a number and a unit, as \'90 minutes\'.',
    ],
    [['--rrule', 'FREQ=DAILY'], '--start: An rrule counts from its start'],
    [['@daily', '--count', 'many'], '--count: '],
    [['@daily', '--bogus'], 'When does it fire?'],
    [['*', '*', '*', '*', '*'], 'Put the cron expression into quotes.'],
    [[], 'When does it fire?'],
  ])('exits with 2 and says what is wrong with %j', async (args, message) => {
    const failed = run(...args);
    await expect(failed).rejects.toThrow('exited with 2');
    await expect(failed).rejects.toThrow(message);
  });
});
