module.exports = () => {
  const { stopTestServer } = require('./test-server');
  return stopTestServer();
};
