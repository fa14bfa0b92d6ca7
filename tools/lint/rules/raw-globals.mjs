// One factory for the rules that keep time, randomness and the environment behind their doors. A ban names a read in
// dotted form (`Date.now`, `process.env`) or a call (`new Date()`); a value of the same name from an import of the
// ban's module counts as well. Names that resolve to a variable of the file are somebody else's and pass.

const THE_GLOBAL = new Set(['globalThis', 'global']);

function staticName(member) {
  if (!member.computed) return member.property.name;
  return member.property.type === 'Literal' ? String(member.property.value) : undefined;
}

/** The names read from a value where it stands: `x.now`, `x['now']`, `const { now } = x`. */
function readsOf(node) {
  const { parent } = node;
  if (parent?.type === 'MemberExpression' && parent.object === node) {
    const name = staticName(parent);
    return name === undefined ? [] : [{ name, node: parent }];
  }
  if (parent?.type === 'VariableDeclarator' && parent.init === node && parent.id.type === 'ObjectPattern') {
    return parent.id.properties
      .filter((property) => property.type === 'Property' && !property.computed)
      .map((property) => ({ name: property.key.name ?? String(property.key.value), node: property }));
  }
  return [];
}

/** Every place where a true global is read, `globalThis.x` included, as `{ name, node }`. */
function globalReads(sourceCode) {
  const free = sourceCode.scopeManager.scopes
    .flatMap((scope) => scope.references)
    .filter((reference) => !reference.resolved || reference.resolved.defs.length === 0)
    .map(({ identifier }) => ({ name: identifier.name, node: identifier }));
  return free.flatMap((read) => (THE_GLOBAL.has(read.name) ? readsOf(read.node) : [read]));
}

/** A module loaded whole, by an expression: nobody can say which of its names are used. */
const WHOLE = '*';

/** Every name of a module that an import declaration brings in or that its namespace is asked for. */
function importedReads(declaration, sourceCode) {
  if (declaration.importKind === 'type') return [];
  return declaration.specifiers.flatMap((specifier) => {
    if (specifier.importKind === 'type') return [];
    if (specifier.type === 'ImportSpecifier') {
      return [{ name: specifier.imported.name ?? specifier.imported.value, node: specifier }];
    }
    const variables = sourceCode.getDeclaredVariables(specifier);
    return variables.flatMap(({ references }) => references.flatMap(({ identifier }) => readsOf(identifier)));
  });
}

function isNakedDate({ name, node }) {
  const { parent } = node;
  if (name !== 'Date' || parent?.callee !== node) return false;
  return (
    parent.type === 'CallExpression' || (parent.type === 'NewExpression' && parent.arguments.length === 0)
  );
}

/**
 * `bare`: globals that may not be touched at all; `members`: object name → pattern of its banned members;
 * `modules`: module name → pattern of its banned exports; `nakedDate`: whether `new Date()` and `Date()` are banned.
 */
export function rawGlobalsRule({ bare = /^$/, members = {}, modules = {}, nakedDate = false, message }) {
  return {
    meta: { type: 'problem', messages: { raw: message } },
    create(context) {
      const { sourceCode } = context;
      const report = (node, what) => context.report({ node, messageId: 'raw', data: { what } });
      const reportNames = (source, reads) => {
        const module = String(source.value).replace(/^node:/, '');
        const banned = Object.hasOwn(modules, module) ? modules[module] : undefined;
        for (const read of banned ? reads : []) {
          if (banned.test(read.name)) report(read.node, `${read.name} of ${source.value}`);
        }
      };

      return {
        Program() {
          for (const read of globalReads(sourceCode)) {
            if (bare.test(read.name)) report(read.node, read.name);
            if (nakedDate && isNakedDate(read)) report(read.node.parent, 'the current Date');
            const banned = Object.hasOwn(members, read.name) ? members[read.name] : undefined;
            for (const member of banned ? readsOf(read.node) : []) {
              if (banned.test(member.name)) report(member.node, `${read.name}.${member.name}`);
            }
          }
        },
        ImportDeclaration(declaration) {
          reportNames(declaration.source, importedReads(declaration, sourceCode));
        },
        ExportNamedDeclaration({ source, specifiers, exportKind }) {
          if (!source || exportKind === 'type') return;
          const values = specifiers.filter((specifier) => specifier.exportKind !== 'type');
          reportNames(
            source,
            values.map((node) => ({ name: node.local.name ?? node.local.value, node })),
          );
        },
        ImportExpression({ source }) {
          if (source.type === 'Literal') reportNames(source, [{ name: WHOLE, node: source }]);
        },
      };
    },
  };
}
