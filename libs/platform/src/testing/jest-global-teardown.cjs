module.exports = () => require('./test-server').stopTestServer();
