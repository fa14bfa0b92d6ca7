import { builtinKinds } from './builtin-kinds';
import { NodeKindRegistry } from './registry';

const registry = new NodeKindRegistry(builtinKinds());

describe('The registry of node kinds', () => {
  test('finds kinds by type', () => {
    expect(registry.get('delay')?.title).toBe('Delay');
    expect(registry.has('delay')).toBe(true);
    expect(registry.get('constructor')).toBeUndefined();
    expect(registry.has('__proto__')).toBe(false);
    expect(registry.list()).toEqual(builtinKinds());
  });

  test('refuses two kinds of one type', () => {
    expect(() => new NodeKindRegistry([...builtinKinds(), ...builtinKinds()])).toThrow('trigger.manual');
  });

  test.each([
    ['dealy', 'delay'],
    ['Switch', 'switch'],
    ['triger.webhook', 'trigger.webhook'],
    ['trigger.web', 'trigger.webhook'],
    ['if', undefined],
    ['email.send', undefined],
    ['x'.repeat(1_000_000), undefined],
  ])('knows what somebody may have meant', (type, meant) => {
    expect(registry.nearest(type)).toBe(meant);
  });
});
