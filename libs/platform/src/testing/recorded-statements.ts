import { Client } from 'pg';

/**
 * What `work` asks of PostgreSQL, over every connection of this process and in order: statements by their names, all
 * else by its text. It watches the driver, so that nothing in production knows of being watched.
 */
export async function recordedStatements(work: () => Promise<unknown>): Promise<readonly string[]> {
  const asked: string[] = [];
  const query = jest.spyOn(Client.prototype, 'query');
  try {
    await work();
    for (const [asking] of query.mock.calls as readonly (readonly unknown[])[]) asked.push(nameOf(asking));
  } finally {
    query.mockRestore();
  }
  return asked;
}

function nameOf(asking: unknown): string {
  if (typeof asking === 'string') return asking;
  const { name, text } = asking as { readonly name?: string; readonly text?: string };
  return name ?? text ?? String(asking);
}
