import { type LabelTemplates, labelsOf, labelTemplates, wantedLabel } from './labels';

const templates = (labels: Record<string, string>): LabelTemplates =>
  labelTemplates({ nodes: [], edges: [], settings: { priority: 'normal', labels } });

const of = (labels: Record<string, string>, trigger = {}, given = {}) =>
  labelsOf(templates(labels), { trigger, startedAt: '2026-11-20T00:00:00.000Z', given });

describe('the labels of a run', () => {
  it('are those of its workflow’s settings, with what started it', async () => {
    const labels = {
      customer: '{{ trigger.id }}',
      text: 'no. {{ trigger.id }}',
      day: '{{ $now() }}',
      plain: 'x',
    };
    expect(await of(labels, { id: 4711 })).toEqual({
      customer: '4711', text: 'no. 4711', day: '2026-11-20T00:00:00.000Z', plain: 'x',
    }); // prettier-ignore
  });

  it('are those given with the start rather than those of the settings', async () => {
    expect(await of({ tier: 'gold', kept: 'y' }, {}, { tier: 'silver', region: 'north' })).toEqual({
      tier: 'silver', kept: 'y', region: 'north',
    }); // prettier-ignore
  });

  // Seen to fail when all were resolved together: one that failed took the others along.
  it('leave out what cannot be evaluated or is no text, and keep the others', async () => {
    const labels = {
      broken: '{{ $number("x") }}',
      none: '{{ trigger.gone }}',
      list: '{{ trigger.list }}',
      wrong: '{{ ((( }}',
      fine: 'x',
    };
    expect(await of(labels, { list: [1] })).toEqual({ fine: 'x' });
    expect(await of({ none: '{{ trigger.gone }}' })).toBeNull();
    expect(await of({})).toBeNull();
  });

  it('hold no control characters, and are no longer than can be looked for', async () => {
    const labels = await of(
      { a: '{{ trigger.a }}', b: '{{ trigger.b }}' },
      { a: ' x\u0000y\n', b: 'z'.repeat(500) },
    );
    expect(labels).toEqual({ a: 'x y', b: 'z'.repeat(200) });
  });

  it.each(['a:b', 'customer:a:b', 'a.b-c_1: x'])('are looked for as %s', (label) => {
    expect(wantedLabel.safeParse(label).success).toBe(true);
  });

  it.each(['a', 'a:', ':b', 'A:b', `a:${'x'.repeat(201)}`])('are not looked for as %s', (label) => {
    expect(wantedLabel.safeParse(label).success).toBe(false);
  });
});
