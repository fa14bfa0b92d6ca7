import { AppError, platformErrors } from '#platform';
import { workflowErrors } from '../errors';

/** What was looked for, or the one 404 that missing and foreign workflows share. */
export function existing<T>(found: T | null): T {
  if (found !== null) return found;
  throw new AppError(workflowErrors.not_found, { detail: 'No such workflow in this workspace.' });
}

/** A workflow that may be changed. Throws workflow.not_found, or request.conflict for an archived one. */
export function live<T extends { readonly name: string; readonly archivedAt: Date | null }>(
  found: T | null,
): T {
  const workflow = existing(found);
  if (workflow.archivedAt === null) return workflow;
  throw new AppError(platformErrors.conflict, {
    detail: `The workflow "${workflow.name}" is archived, so it can be read but not changed. Create another one.`,
  });
}
