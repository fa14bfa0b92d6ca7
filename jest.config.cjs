// Jest on Node 20 cannot require ESM-only packages (Nest 12 is one), so those are turned into CommonJS by swc.
// A hand-kept list of them breaks with the next transitive dependency: node_modules is scanned instead (~40 ms).
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

function esmPackages(root) {
  const found = [];
  const visit = (dir, prefix) => {
    for (const name of readdirSync(dir)) {
      if (name.startsWith('.')) continue;
      const path = join(dir, name);
      if (name.startsWith('@') && !prefix) visit(path, `${name}/`);
      const manifest = join(path, 'package.json');
      if (!existsSync(manifest)) continue;
      if (JSON.parse(readFileSync(manifest, 'utf8')).type === 'module') found.push(`${prefix}${name}`);
      const nested = join(path, 'node_modules');
      if (existsSync(nested)) visit(nested, '');
    }
  };
  visit(join(root, 'node_modules'), '');
  return [...new Set(found)];
}

const escaped = esmPackages(__dirname).map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));

const shared = {
  testEnvironment: '<rootDir>/libs/platform/src/testing/jest-environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['millrace-source', 'node', 'node-addons'] },
  transform: {
    '^.+\\.(ts|mjs|js)$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2023',
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: [
    `/node_modules/(?!(?:.*/node_modules/)?(?:${escaped.join('|')})/).*\\.js$`,
    '\\.cjs$',
  ],
  // Exports itself to `import` alone, which is no condition of what is turned into CommonJS.
  moduleNameMapper: {
    '^@octokit/webhooks-methods$': '<rootDir>/node_modules/@octokit/webhooks-methods/dist-node/index.js',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/bench/node_modules/'],
};

// In projects, not at the top: jest then starts the server only for runs that have such a spec.
const withServer = {
  globalSetup: '<rootDir>/libs/platform/src/testing/jest-global-setup.cjs',
  globalTeardown: '<rootDir>/libs/platform/src/testing/jest-global-teardown.cjs',
};

module.exports = {
  maxWorkers: 2,
  // No test asserts a time; this ends one that hangs. A busy machine takes its time with everything else.
  testTimeout: 30_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/**/*.spec.ts', '<rootDir>/**/*.spec.mjs'] },
    { ...shared, ...withServer, displayName: 'it', testMatch: ['<rootDir>/**/*.it-spec.ts'] },
    { ...shared, ...withServer, displayName: 'e2e', testMatch: ['<rootDir>/apps/api/test/*.e2e-spec.ts'] },
  ],
};
