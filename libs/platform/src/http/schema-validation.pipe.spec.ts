import { z } from 'zod';
import { problemsOf, SchemaValidationPipe } from './schema-validation.pipe';

const pipe = new SchemaValidationPipe();
const schema = z.strictObject({
  name: z.string(),
  tags: z.array(z.strictObject({ 'a/b': z.number() })).optional(),
});

async function pointersOf(
  value: unknown,
  type: 'body' | 'query' | 'param',
  data?: string,
): Promise<readonly string[]> {
  const error: unknown = await pipe
    .transform(value, { type, schema, ...(data === undefined ? {} : { data }) })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  const problems = (error as { context: { problems: { pointer: string }[] } }).context.problems;
  return problems.map(({ pointer }) => pointer);
}

it('points into a body', async () => {
  expect(await pointersOf({ name: 1, tags: [{ 'a/b': 'x' }] }, 'body')).toEqual(['/name', '/tags/0/a~1b']);
});

it('points at each unknown key', async () => {
  expect(await pointersOf({ name: 'x', one: 1, two: 2 }, 'body')).toEqual(['/one', '/two']);
});

it('tells query and path parameters from bodies', async () => {
  expect(await pointersOf({}, 'query')).toEqual(['?name']);
  expect(await pointersOf('x', 'param', 'id')).toEqual([':id']);
});

it('hands over what the schema made of the value', async () => {
  const trimmed = z.string().trim();
  expect(await pipe.transform(' a ', { type: 'query', schema: trimmed })).toBe('a');
});

it('names no more than fifty problems', () => {
  const issues = Array.from({ length: 500 }, (_, index) => ({ message: 'wrong', path: [index] }));
  expect(problemsOf(issues, { type: 'body' })).toHaveLength(50);
});
