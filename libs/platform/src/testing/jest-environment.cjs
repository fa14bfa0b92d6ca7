// Node's environment that counts a file's failures, so that a failing file can keep its database.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class CountingEnvironment extends TestEnvironment {
  async handleTestEvent(event) {
    if (event.name === 'setup') this.global.millraceFailedTests = 0;
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure')
      this.global.millraceFailedTests += 1;
  }
};
