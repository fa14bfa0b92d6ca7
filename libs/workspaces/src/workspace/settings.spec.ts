import { settingsOf, workspaceSettingsChange } from './settings';

describe('settings of a workspace', () => {
  it('have defaults, and forget what no version of ours knows', () => {
    expect(settingsOf({})).toEqual({ timeZone: 'UTC', invitationExpiryDays: 7 });
    expect(settingsOf({ timeZone: 'Asia/Tokyo', dropped: true })).toEqual({
      timeZone: 'Asia/Tokyo',
      invitationExpiryDays: 7,
    });
  });

  it.each([
    [{ timeZone: 'Europe/Berlin' }, true],
    [{ timeZone: 'UTC', invitationExpiryDays: 60 }, true],
    [{}, true],
    [{ timeZone: 'Mars/Olympus' }, false],
    [{ timeZone: '+02:00' }, false],
    [{ timeZone: '' }, false],
    [{ invitationExpiryDays: 0 }, false],
    [{ invitationExpiryDays: 61 }, false],
    [{ invitationExpiryDays: 1.5 }, false],
    [{ plan: 'enterprise' }, false],
  ])('take the change %j: %s', (change, taken) => {
    expect(workspaceSettingsChange.safeParse(change).success).toBe(taken);
  });
});
