// Belongs to the projects "it" and "e2e": a run of unit specs alone starts no server. Jest transforms what is required
// from here, so the TypeScript sources need no build.
module.exports = () => {
  const { startTestServer } = require('./test-server');
  return startTestServer();
};
