import type { Problem } from '#platform';
import type { SecretReference } from '../definition/check-secrets';

/** The names among references, each once. */
export function namesOf(references: readonly SecretReference[]): readonly string[] {
  return [...new Set(references.map(({ name }) => name))].toSorted();
}

/** The references to secrets that the workspace does not have. */
export function missingSecrets(
  references: readonly SecretReference[],
  known: readonly { readonly name: string }[],
): readonly Problem[] {
  const names = new Set(known.map(({ name }) => name));
  return references
    .filter(({ name }) => !names.has(name))
    .map(({ name, pointer }) => ({
      code: 'unknown_secret',
      pointer,
      message: `The workspace has no secret ${name}. An admin can set it: PUT …/secrets/${name}.`,
    }));
}
