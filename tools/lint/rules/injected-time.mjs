import { rawGlobalsRule } from './raw-globals.mjs';

const TIMERS = /^(setTimeout|setInterval|setImmediate)$/;

/** Time enters through Clock and timers through platform: both can then be pinned, stopped and tested. */
export const injectedTime = rawGlobalsRule({
  bare: TIMERS,
  nakedDate: true,
  members: { Date: /^now$/, performance: /^now$/ },
  modules: { timers: /./, 'timers/promises': /./, perf_hooks: /^performance$/ },
  message:
    'Raw {{what}}: take Clock from #platform in the constructor (now, monotonicMs), or let pure code take `now` as a ' +
    'parameter. Timers belong to the loops of #platform, which a shutdown can stop.',
});
