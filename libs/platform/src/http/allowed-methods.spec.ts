import { AllowedMethods } from './allowed-methods';

it('knows the methods of every template a path matches', () => {
  const allowed = new AllowedMethods();
  allowed.add('/v1/runs/:runId', 'GET');
  allowed.add('/v1/runs/latest', ['post', 'HEAD']);
  allowed.add('/files/*', 'GET');
  expect(allowed.of('/v1/runs/latest')).toEqual(['GET', 'HEAD', 'POST']);
  expect(allowed.of('/v1/runs/7')).toEqual(['GET']);
  expect(allowed.of('/v1/runs/')).toEqual([]);
  expect(allowed.of('/v1/runs/7/more')).toEqual([]);
  expect(allowed.of('/files/x')).toEqual([]);
});
