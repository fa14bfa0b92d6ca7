// The team's chat of the demo: a server on this machine that takes one message and says thanks.
import { createServer } from 'node:http';

/** Starts it on a free port; gives `{url, messages, stop}`. A message holds its Idempotency-Key and its JSON body. */
export async function startReceiver() {
  const messages = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    messages.push({
      idempotencyKey: request.headers['idempotency-key'],
      body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ received: 'the team' }));
  });
  await new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', done);
  });
  const url = `http://127.0.0.1:${server.address().port}/hooks/deploys`;
  return {
    url,
    messages,
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
