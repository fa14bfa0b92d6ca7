// Loaded before the Nest CLI, which takes `typescript` from the folder it works in. There stands TypeScript 7, whose
// compiler has no API to call; this hands it the 6 that is installed beside the CLI.
const Module = require('node:module');

const resolveFilename = Module._resolveFilename;

Module._resolveFilename = function resolveForNest(request, ...rest) {
  return request === 'typescript'
    ? require.resolve('./node_modules/typescript')
    : resolveFilename.call(this, request, ...rest);
};
