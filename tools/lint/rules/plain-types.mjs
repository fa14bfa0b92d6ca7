function ban(type, message) {
  return {
    meta: { type: 'problem', messages: { banned: message } },
    create: (context) => ({ [type]: (node) => context.report({ node, messageId: 'banned' }) }),
  };
}

/** A face that lists its names is a decision; `export *` is an accident. */
export const noExportAll = ban(
  'ExportAllDeclaration',
  '`export *` publishes whatever the other file happens to hold: list the names that are meant to be public.',
);

/** The boundary checker reads import and export statements; it does not see types that import in place. */
export const noImportInPlace = ban(
  'TSImportType',
  '`import("…")` inside a type hides an edge from the boundary check: write `import type { … } from "…"` on top.',
);

/** String unions need no runtime object and print as what they are. */
export const noEnum = ban(
  'TSEnumDeclaration',
  'Write a string union (`type RunStatus = "queued" | "running"`) instead of an enum: it needs no runtime object, and ' +
    'the same word stands in JSON, SQL and logs.',
);
