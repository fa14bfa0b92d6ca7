import type { Config } from '#platform';

/** Says where to go next, in a few lines. */
export function announce(config: Config, listeningUrl: string): void {
  const { publicUrl, smtpUrl, environment, roles } = config.values;
  const url = publicUrl ?? listeningUrl.replace('127.0.0.1', 'localhost').replace('[::1]', 'localhost');
  const lines = [
    '',
    `  Millrace is running at ${url}  (${roles.join(', ')})`,
    '',
    `  API reference   ${url}/reference`,
    `  First steps     README.md, or: npm run demo`,
    ...(smtpUrl === null && environment !== 'production' ? [`  Mails it sends  ${url}/dev/mail`] : []),
    '',
    '',
  ];
  process.stdout.write(lines.join('\n'));
}
