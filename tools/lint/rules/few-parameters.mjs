const MOST = 3;

function isInjected(parameter) {
  return parameter.type === 'TSParameterProperty' || (parameter.decorators?.length ?? 0) > 0;
}

function isThis(parameter) {
  return parameter.type === 'Identifier' && parameter.name === 'this';
}

/**
 * At most three parameters, then an object. Nest passes what it injects by position (constructor properties and
 * decorated handler parameters), so those do not count.
 */
export const fewParameters = {
  meta: {
    type: 'suggestion',
    messages: {
      many:
        'This takes {{count}} parameters and callers must remember their order: beyond {{most}}, take one readonly ' +
        'object with named fields.',
    },
  },
  create(context) {
    const check = (node) => {
      const count = node.params.filter((parameter) => !isInjected(parameter) && !isThis(parameter)).length;
      if (count > MOST) context.report({ node, messageId: 'many', data: { count, most: MOST } });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
      TSDeclareFunction: check,
      TSEmptyBodyFunctionExpression: check,
    };
  },
};
