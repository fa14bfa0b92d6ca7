import { basename } from 'node:path';

// The last word of a name or of its role: `manager-of.ts` tells something, `run-manager.ts` does not.
const VAGUE = /(^|[-.])(managers?|helpers?|utils?|utilities|common|base|infos?|misc)(\.|$)/;

/** A file is named after the one idea in it; a vague name invites everything. */
export const tellingNames = {
  meta: {
    type: 'suggestion',
    messages: {
      vague:
        '"{{word}}" in a file name says nothing about what is inside: name the one idea of the file (clock, ' +
        'page-cursor, claim-due) and add its role (.service, .repository, .port, .sql …).',
    },
  },
  create(context) {
    return {
      Program(node) {
        const word = VAGUE.exec(basename(context.filename))?.[2];
        if (word !== undefined) context.report({ node, messageId: 'vague', data: { word } });
      },
    };
  },
};
