// A process of its own that owns an embedded PostgreSQL, for tests that kill it. Argument: options as JSON.
require('./register-sources.cjs');
const { startEmbeddedPostgres } = require('../embedded-postgres.ts');

async function main() {
  const log = (message) => process.send({ log: message });
  const calledOff = new AbortController();
  const owned = {};
  process.on('message', async () => {
    calledOff.abort();
    // Without a server yet, the start that was just called off fails and ends this process.
    if (owned.server === undefined) return;
    await owned.server.stop();
    process.disconnect();
  });
  const server = await startEmbeddedPostgres({
    ...JSON.parse(process.argv[2]),
    log,
    signal: calledOff.signal,
  });
  owned.server = server;
  process.send({ started: { url: server.url, adminUrl: server.adminUrl, pid: server.pid } });
}

main().catch((error) => {
  process.send({ failed: error.message });
  process.disconnect();
});
