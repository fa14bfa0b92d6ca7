import { devMailPage } from './dev-mail-page';

const mail = {
  messageId: '<1@x>',
  from: 'a@example.com',
  to: 'ada@example.com',
  subject: 'Welcome',
  text: 'Hello',
  html: null,
  receivedAt: new Date('2026-06-01T12:00:00Z'),
};

describe('the page at /dev/mail', () => {
  it('makes web addresses clickable, without the full stop behind them', () => {
    const page = devMailPage([
      { ...mail, text: 'Go to http://localhost:3000/verify?token=a&x=1. Then rest.' },
    ]);
    expect(page).toContain(
      '<a href="http://localhost:3000/verify?token=a&amp;x=1">http://localhost:3000/verify?token=a&amp;x=1</a>. Then',
    );
  });

  it('shows markup in a mail as text', () => {
    const page = devMailPage([
      { ...mail, subject: '<script>1</script>', text: '"><img src=x> https://x/"onclick="y javascript:1' },
    ]);
    expect(page).toContain('&lt;script&gt;1&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<img|" ?onclick="/);
    expect(page).not.toContain('href="javascript');
  });

  it('says so when there is no mail', () => {
    expect(devMailPage([])).toContain('No mail yet.');
  });
});
