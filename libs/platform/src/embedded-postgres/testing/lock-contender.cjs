// A process that tries to hold the folder in its first argument when told so, and says how that went.
require('./register-sources.cjs');
const { lockFolder } = require('../folder-lock.ts');

const [folder] = process.argv.slice(2);
let lock;

process.on('message', async (command) => {
  if (command === 'drop') {
    await lock.release();
    process.send('dropped');
    return;
  }
  try {
    lock = await lockFolder(folder, folder);
    process.send('held');
  } catch {
    process.send('busy');
  }
});
process.send('ready');
