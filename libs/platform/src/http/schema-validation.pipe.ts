import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError, type Problem } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

/** A body of a megabyte can hold half a million mistakes; the first ones say enough. */
const MAX_PROBLEMS = 50;

/** What Standard Schema promises of an issue, and what zod adds. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: unknown;
  readonly keys?: unknown;
}

/**
 * Nest's validation by the `schema` of `@Body`, `@Query` and `@Param`, answering with places instead of sentences. An
 * overridden `transform` because Nest's exception factory is not told which part of the request it looks at.
 */
@Injectable()
export class SchemaValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || !this.toValidate(metadata)) return value;
    const result = await this.validate<T>(value, schema);
    if (!result.issues) return result.value;
    const problems = problemsOf(result.issues, metadata);
    throw new AppError(platformErrors.invalid, { detail: summaryOf(problems), problems });
  }
}

/** Issues of one argument as problems: body `/a/b`, query `?limit`, path parameter `:id`. At most 50. */
export function problemsOf(
  issues: readonly Issue[],
  { type, data }: Pick<ArgumentMetadata, 'type' | 'data'>,
): readonly Problem[] {
  const prefix = data === undefined ? [] : [data];
  return issues
    .flatMap((issue) => placesOf(issue).map((path) => problemAt([...prefix, ...path], issue, type)))
    .slice(0, MAX_PROBLEMS);
}

function problemAt(path: readonly string[], issue: Issue, type: ArgumentMetadata['type']): Problem {
  const code = typeof issue.code === 'string' ? issue.code : 'invalid';
  return { pointer: pointerOf(path, type), code, message: issue.message };
}

/** Each unknown key is a problem at its own place, not one problem of the object that holds them. */
function placesOf(issue: Issue): readonly (readonly string[])[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  if (issue.code !== 'unrecognized_keys' || !Array.isArray(issue.keys)) return [path];
  return issue.keys.slice(0, MAX_PROBLEMS).map((key) => [...path, String(key)]);
}

function pointerOf(path: readonly string[], type: ArgumentMetadata['type']): string {
  switch (type) {
    case 'body':
      return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    case 'query':
      return `?${path.join('.')}`;
    case 'param':
      return `:${path.join('.')}`;
    case 'custom':
      return path.join('.');
    default:
      return type satisfies never;
  }
}

function summaryOf(problems: readonly Problem[]): string {
  const [first] = problems;
  if (!first) return 'The request is not valid.';
  const where = first.pointer === '' ? 'the body' : first.pointer;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `At ${where}: ${first.message}${more}.`;
}
