import type { Config } from '../config/config';

/** Where mails go: to the server of SMTP_URL, into the developer's mailbox, or nowhere yet (they stay queued). */
export function mailRoute(config: Config): 'smtp' | 'mailbox' | 'queue' {
  const { environment, smtpUrl } = config.values;
  if (smtpUrl) return 'smtp';
  // Showing mails to whoever asks is for a developer's own machine; in production they wait for an SMTP_URL.
  return environment === 'production' ? 'queue' : 'mailbox';
}
