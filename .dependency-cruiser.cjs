// Who may import whom. tools/boundaries/boundaries.spec.ts feeds each rule a file that breaks it and one that does not.
//
// TypeScript 7 has no compiler API, so swc parses. It reports type-only imports like any other import, which is what
// these rules want: a type is knowledge, too. It overlooks `import("x")` inside types, which lint bans for that reason
// (house/no-import-in-place).

const PURE = '^libs/workflows/src/(definition|expressions|payload-schema|triggers/schedules/calculus)/';
const TEST = [
  '\\.(spec|it-spec|e2e-spec|fixture)\\.[a-z]+$',
  '/testing/',
  '^apps/[^/]+/test/',
  '^(tools|scripts|bench|chaos)/',
];
const DOMAIN = '^libs/(?!platform/)[^/]+/';

/** The files of npm packages, wherever npm put them. Packages is a regular expression. */
const npm = (packages) => `(^|/)node_modules/(${packages})/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment:
        'Files that import each other can only be understood, loaded and tested together. Move what both need into a ' +
        'third file, or let the lower one take the value as a parameter.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'must-resolve',
      severity: 'error',
      comment:
        'Nothing stands at this path, so no other rule could judge the import. Aliases are the "imports" of ' +
        'package.json; relative imports are written without an extension.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'domains-are-strangers',
      severity: 'error',
      comment:
        'A domain imports #platform and itself, never another domain. To ask, declare a port (an abstract class in ' +
        'ports.ts of the asking domain) and bind it in apps/api/src/wiring; to tell, write a row in the same ' +
        'transaction; to hint, publish an event.',
      from: { path: '^libs/(?!platform/)([^/]+)/' },
      to: { path: DOMAIN, pathNot: '^libs/$1/' },
    },
    {
      name: 'platform-knows-nobody',
      severity: 'error',
      comment:
        'Platform has no business words: whatever it needs from a domain, it declares as a port or takes as a ' +
        'parameter, and the application binds it.',
      from: { path: '^libs/platform/' },
      to: { path: DOMAIN },
    },
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      comment:
        'Applications put libs together, so a lib that imports one can be used nowhere else. Turn the edge around.',
      from: { path: '^(libs|migrations)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'front-door-only',
      severity: 'error',
      comment:
        'From outside, a lib is its index.ts (and testing/index.ts for tests). If the name you need is missing there, ' +
        'ask whether it is meant to be public; if so, list it.',
      from: { path: '^(libs/[^/]+|apps/[^/]+|[^/]+)/' },
      to: {
        path: '^libs/[^/]+/',
        pathNot: ['^$1/', '^libs/[^/]+/src/(testing/)?index\\.ts$', '^libs/platform/src/db/manager-of\\.ts$'],
      },
    },
    {
      name: 'orm-stays-in-persistence',
      severity: 'error',
      comment:
        'TypeORM is a detail of *.entity.ts and *.repository.ts. A service calls a repository; a module registers ' +
        'nothing but its providers; the hot path writes named statements.',
      from: {
        pathNot: ['\\.(entity|repository)\\.ts$', '^libs/platform/src/(db|testing)/', '^migrations/'],
      },
      to: { path: npm('typeorm|@nestjs/typeorm') },
    },
    {
      name: 'orm-door-for-repositories',
      severity: 'error',
      comment:
        '#platform/orm hands out the EntityManager of a transaction, and only *.repository.ts may hold one: take a ' +
        'repository in the constructor and pass it `tx`.',
      from: { pathNot: ['\\.repository\\.ts$', '^libs/platform/src/db/', ...TEST] },
      to: { path: '^libs/platform/src/db/manager-of\\.ts$' },
    },
    {
      name: 'raw-pg-only-in-platform',
      severity: 'error',
      comment:
        'One pool, one owner of transactions: connections are opened in libs/platform/src/db alone. Elsewhere take Db ' +
        'or Tx from #platform and run a named statement.',
      from: {
        path: '^(apps|libs|migrations)/',
        pathNot: '^libs/platform/src/(db|embedded-postgres|testing)/',
      },
      to: { path: npm('pg|pg-[^/]+|@types/pg') },
    },
    {
      name: 'schedule-only-in-loops',
      severity: 'error',
      comment:
        '@Cron and @Interval cannot be stopped, awaited or run once from a test. Register a loop of #platform, which can.',
      from: { pathNot: '^libs/platform/src/loops/' },
      to: { path: npm('@nestjs/schedule') },
    },
    {
      name: 'not-to-test',
      severity: 'error',
      comment:
        'What runs in production does not lean on specs or test support. Move the shared part into a file of its own.',
      from: { pathNot: TEST },
      to: { path: TEST },
    },
    {
      name: 'not-to-dev-dependency',
      severity: 'error',
      comment:
        'This package is missing where only "dependencies" are installed. Move it there with a reason, or do without.',
      from: { path: '^(apps|libs|migrations)/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    },
    {
      name: 'pure-core',
      severity: 'error',
      comment:
        'definition/, expressions/, payload-schema/ and the calculus of schedules decide and never act: the same input ' +
        'gives the same answer, in a property test as in production. They import each other, the contract of node kinds, ' +
        'zod, jsonata and re2js; pass everything else in as a value.',
      from: { path: PURE, pathNot: TEST },
      to: {
        pathNot: [
          PURE,
          '^libs/workflows/src/decimal\\.ts$',
          '^libs/workflows/src/nodes/(node-kind|registry|param-schemas|fraction-of)\\.ts$',
          npm('zod|jsonata|re2js'),
        ],
      },
    },
    {
      name: 'engine-without-orm-or-http',
      severity: 'error',
      comment:
        'The engine is the hot path: named statements and plain values. Entities and repositories serve the reading ' +
        'side, controllers call the engine, and it calls none of them.',
      from: { path: '^libs/workflows/src/engine/', pathNot: TEST },
      to: {
        path: [
          npm('typeorm|@nestjs/(typeorm|swagger|passport|platform-[^/]+)|fastify|@fastify/[^/]+'),
          '\\.(entity|repository|controller|dto)\\.ts$',
        ],
      },
    },
    {
      name: 'migrations-stand-alone',
      severity: 'error',
      comment:
        'A shipped migration must mean the same for ever, but domain code moves on. Write out the SQL and the values.',
      from: { path: '^migrations/', pathNot: TEST },
      to: { path: DOMAIN },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    // Anchored: most packages keep their code in a folder named dist, and an excluded file trips no rule.
    exclude: { path: '^(dist|coverage|\\.data)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['millrace-source', 'import', 'require', 'node', 'default'],
      mainFields: ['main'],
    },
  },
};
