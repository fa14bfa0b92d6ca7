import { htmlPage } from '#platform';
import type { DeletionPreview } from './account-deletion.dto';

/** The page behind the mailed link: says what would go; only its button deletes. */
export function confirmDeletionPage(token: string, { ownedWorkspaces, counts }: DeletionPreview): string {
  const names = ownedWorkspaces.map(({ name }) => `"${name}"`).join(', ');
  return htmlPage({
    title: 'Delete your account?',
    paragraphs: [
      ownedWorkspaces.length === 0
        ? 'You own no workspace.'
        : `Deleted with it: ${names}, with ${counted(counts.workflows, 'workflow')}.`,
      `You leave ${counted(counts.joinedWorkspaces, 'other workspace')}; what you made there stays.`,
      `Ended: ${counted(counts.sessions, 'session')}. Revoked: ${counted(counts.apiKeys, 'API key')}.`,
      'This cannot be undone.',
    ],
    forms: [{ action: '/delete-account', hidden: { token }, button: 'Delete my account' }],
  });
}

/** After the button. */
export function deletedPage(): string {
  return htmlPage({ title: 'Your account is deleted', paragraphs: ['You can close this page.'] });
}

/** For a link that does nothing, or an account that cannot go yet. */
export function notDeletedPage(reason: string): string {
  return htmlPage({ title: 'Nothing was deleted', paragraphs: [reason] });
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
