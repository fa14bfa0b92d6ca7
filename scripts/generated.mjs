// `npm run generate`: writes the committed files that come from the code. With --check it writes nothing and names the
// stale ones; that is a part of `npm run check`. It works on the build in dist.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const COMMAND = 'npm run generate';
const require = createRequire(import.meta.url);

/** What a module of the build exports. Its path is the one of its source. */
const built = (path) => require(join(ROOT, 'dist', path));
const isBuilt = (path) => existsSync(join(ROOT, 'dist', `${path}.js`));

/** Path → what makes its text. A maker gets the text that is there now, or null. */
const GENERATED = {
  'schema.sql': schemaSql,
  '.env.example': envExample,
  'docs/problems.md': problemsPage,
  'migrations/hashes.json': migrationHashes,
  'apps/api/src/operations.json': operationTexts,
  ...(isBuilt('apps/api/src/cli/openapi') ? { 'openapi.json': openApi } : {}),
};

/** Both schemas after all migrations, printed from a database that is made for this and dropped. */
async function schemaSql() {
  const { startTestServer, stopTestServer } = built('libs/platform/src/testing/test-server');
  const { dropDatabase, urlOf, withAdmin } = built('libs/platform/src/testing/test-server-access');
  const { Migrator } = built('libs/platform/src/db/migrator');
  const { printSchemas } = built('libs/platform/src/db/schema-printer');
  await startTestServer();
  const server = process.env.MILLRACE_TEST_DATABASE_URL;
  const database = `millrace_generate_${randomBytes(6).toString('hex')}`;
  try {
    await withAdmin(server, (admin) => admin.query(`create database ${database}`));
    const url = urlOf(server, database);
    await new Migrator(url, built('migrations').migrations).up();
    const schemas = await printSchemas(url, [{ schema: 'control' }, { schema: 'cell_1' }]);
    return `-- What the migrations make, for reading and comparing. ${notice()}\n-- Every cell is like cell_1.\n\n${schemas}`;
  } finally {
    await withAdmin(server, (admin) => dropDatabase(admin, database));
    await stopTestServer();
  }
}

function envExample() {
  const { settings } = built('libs/platform/src/config/settings');
  const variables = Object.values(settings).map(({ env, example, doc }) =>
    [...wrapped(doc, 100).map((line) => `# ${line}`), `# ${env}=${example}`].join('\n'),
  );
  const head = `# Every variable that Millrace reads, with its default. None has to be set. ${notice()}`;
  return `${head}\n\n${variables.join('\n\n')}\n`;
}

/** The catalogues of all libs; what only Nest and Fastify answer with is found by its status. */
function problemsPage() {
  const { statusOf, typeOfStatus } = built('libs/platform/src/http/problem');
  const rows = new Map();
  for (const { code, kind, title } of errorTypes()) {
    if (rows.has(code)) throw new Error(`Two errors have the code ${code}.`);
    rows.set(code, { status: statusOf(kind), title });
  }
  for (let status = 400; status < 600; status += 1) {
    const { code, title } = typeOfStatus(status);
    if (!rows.has(code)) rows.set(code, { status, title });
  }
  const sorted = [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const cells = sorted.map(([code, { status, title }]) => [`\`${code}\``, String(status), title]);
  return `# Errors

${notice()}

An error is answered as [problem+json](https://www.rfc-editor.org/rfc/rfc9457). Its \`code\` never changes its meaning, and
programs should look at nothing else; \`title\` is for people, and \`detail\` says what happened this time.

${markdownTable(['code', 'status', 'title'], cells)}
`;
}

/** Aligned as the formatter would align it. */
function markdownTable(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function errorTypes() {
  const libs = join(ROOT, 'dist/libs');
  const files = readdirSync(libs, { recursive: true }).filter((path) =>
    /^[^/]+\/src\/(.+\/)?([a-z-]+-)?errors\.js$/.test(path.replaceAll('\\', '/')),
  );
  // A source that has been deleted leaves its output behind.
  const existing = files.filter((path) => existsSync(join(ROOT, 'libs', path.replace(/\.js$/, '.ts'))));
  const exported = existing.flatMap((path) => Object.values(require(join(libs, path))));
  const catalogues = exported.filter((value) => typeof value === 'object' && value !== null);
  return catalogues
    .flatMap((catalogue) => Object.values(catalogue))
    .filter((entry) => entry?.code && entry.kind);
}

/** New migrations are added; one that has changed since is an error, since it may have run somewhere. */
function migrationHashes(current) {
  const known = current === null ? {} : JSON.parse(current);
  const hashes = Object.fromEntries(
    migrationFiles().map((path) => [path, sha256(readFileSync(join(ROOT, 'migrations', path)))]),
  );
  const changed = Object.keys(known).filter((path) => hashes[path] !== known[path]);
  if (changed.length > 0) {
    throw new Error(
      `${changed.join(', ')} changed or vanished after being recorded in migrations/hashes.json. What has been released is ` +
        'never edited: restore the file and write a new migration. If it has not been released, remove its line there and ' +
        `run ${COMMAND} again.`,
    );
  }
  return `${JSON.stringify(hashes, null, 2)}\n`;
}

function migrationFiles() {
  const numbered = ['control', 'cell'].flatMap((plane) =>
    readdirSync(join(ROOT, 'migrations', plane))
      .filter((name) => /^\d+-.+\.ts$/.test(name))
      .map((name) => `${plane}/${name}`),
  );
  return ['policies.ts', ...numbered.toSorted((a, b) => (a < b ? -1 : 1))];
}

/** What is said above the handlers of routes, by the ids of their operations: the document has no other source of it. */
function operationTexts() {
  const controllers = readdirSync(join(ROOT, 'libs'), { recursive: true })
    .filter((path) => path.endsWith('.controller.ts'))
    .toSorted((one, other) => (one < other ? -1 : 1));
  const texts = controllers.flatMap((path) => {
    const source = readFileSync(join(ROOT, 'libs', path), 'utf8');
    const [, name = ''] = /^export class (\w+)Controller\b/m.exec(source) ?? [];
    const controller = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    return [...source.matchAll(HANDLER)].map(([, comment, method]) => [
      `${controller}_${method}`,
      said(comment),
    ]);
  });
  return `${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`;
}

/** A comment, the decorators below it with their lines, and the method's name. */
const HANDLER =
  /^  \/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(?:  @.*\n(?:    .*\n|  \}\)\n|  \)\n)*)+  (?:async )?(\w+)\(/gm;

/** The first sentence of a comment as the summary; all of it as the description, if there is more. */
function said(comment) {
  const text = comment
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const [, first = text] = /^(.+?[.!?])(?: (?=[A-Z`])|$)/.exec(text) ?? [];
  const summary = first.replace(/\.$/, '');
  return first === text ? { summary } : { summary, description: text };
}

async function openApi() {
  const { openApiText } = built('apps/api/src/cli/openapi');
  // As the comments are now: the build may have those of before.
  return openApiText(JSON.parse(operationTexts()));
}

function notice() {
  return `Generated by \`${COMMAND}\`; do not edit.`;
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function wrapped(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Brings one file up to date, or only looks. Says in a line what it found; false if the file needs a person. */
async function bringUpToDate(path, make, isCheck) {
  const file = join(ROOT, path);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : null;
  let text;
  try {
    text = await make(current);
  } catch (error) {
    console.error(`${path}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
  if (text === current) return true;
  if (isCheck) {
    console.error(`${path} is ${current === null ? 'missing' : 'stale'}: run \`${COMMAND}\` and commit it.`);
    return false;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${path} written.`);
  return true;
}

async function main(args) {
  const isCheck = args.includes('--check');
  if (!isBuilt('libs/platform/src/index')) {
    console.error('There is no build in dist: run `npm run build` first.');
    return 1;
  }
  let failures = 0;
  for (const [path, make] of Object.entries(GENERATED)) {
    if (!(await bringUpToDate(path, make, isCheck))) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
