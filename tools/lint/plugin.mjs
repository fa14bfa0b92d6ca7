// The house rules that no ready-made lint rule covers. Each file under rules/ holds one idea; each rule's message says
// what to do instead. Registered in .oxlintrc.json, proven in house-rules.spec.ts.
import { fewParameters } from './rules/few-parameters.mjs';
import { injectedConfig } from './rules/injected-config.mjs';
import { injectedRandomness } from './rules/injected-randomness.mjs';
import { injectedTime } from './rules/injected-time.mjs';
import { oneWayOut } from './rules/one-way-out.mjs';
import { noEnum, noExportAll, noImportInPlace } from './rules/plain-types.mjs';
import { tellingNames } from './rules/telling-names.mjs';

export default {
  meta: { name: 'house' },
  rules: {
    'few-parameters': fewParameters,
    'injected-config': injectedConfig,
    'injected-randomness': injectedRandomness,
    'injected-time': injectedTime,
    'no-enum': noEnum,
    'no-export-all': noExportAll,
    'no-import-in-place': noImportInPlace,
    'one-way-out': oneWayOut,
    'telling-names': tellingNames,
  },
};
