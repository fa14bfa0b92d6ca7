import { runLimitReached, seatLimitReached } from './errors';

describe('runLimitReached', () => {
  const periodEnd = new Date('2026-03-31T00:00:00Z');

  it('names the limit, the plan, the way up and when it begins anew', () => {
    const error = runLimitReached({ plan: 'solo', limit: 250, periodEnd });
    expect(error.code).toBe('billing.run_limit_reached');
    expect(error.type.kind).toBe('limit');
    expect(error.context).toEqual({
      detail:
        'All 250 runs of this period on the plan Solo are used. Wait until 2026-03-31T00:00:00.000Z or upgrade to the plan Workspace.',
      meta: {
        limit: 'runsPerPeriod',
        plan: 'solo',
        allowed: 250,
        upgradeTo: 'workspace',
        resetsAt: '2026-03-31T00:00:00.000Z',
      },
    });
  });

  it('offers no upgrade above the largest plan', () => {
    const { context } = runLimitReached({ plan: 'enterprise', limit: 5, periodEnd });
    expect(context.meta).toMatchObject({ upgradeTo: null });
    expect(context.detail).not.toContain('upgrade');
  });
});

describe('seatLimitReached', () => {
  it('has the shape of every refusal by a plan, and says what makes room', () => {
    const error = seatLimitReached('workspace');
    expect([error.code, error.type.kind]).toEqual(['billing.seat_limit_reached', 'limit']);
    expect(error.context).toEqual({
      detail:
        'The plan Workspace has 8 seats; members and open invitations take one each. Remove a member, revoke an invitation or upgrade to the plan Enterprise.',
      meta: { limit: 'seats', plan: 'workspace', allowed: 8, upgradeTo: 'enterprise', resetsAt: null },
    });
    expect(seatLimitReached('solo').context.detail).toContain('has 1 seat;');
  });
});
